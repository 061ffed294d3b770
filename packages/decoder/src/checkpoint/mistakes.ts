import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { hasFile, readString } from "./files.ts";
import { cachedModelName } from "./hub/name.ts";

/** Files to look for in a folder that cannot list its files: each is the sign of one mistake. */
const signs = ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"];

/**
 * The error for a folder that is not a model's directory: it lacks `config.json` or weights. The message says what the folder holds
 * instead, where that is known, and what to do.
 */
export async function notAModel(folder: Folder, lacks: "config.json" | "weights"): Promise<ModelError> {
  const names = (await folder.list?.()) ?? (await filesIn(folder, signs));
  const why =
    (await adapter(folder)) ??
    pickles(names) ??
    gguf(names) ??
    incompleteSnapshot(folder, lacks) ??
    (lacks === "weights" ? noWeights(names) : await noConfig(folder, names));
  const files = lacks === "weights" ? ["model.safetensors", "model.safetensors.index.json"] : [lacks];
  const answers = files.flatMap((file) => {
    const answer = folder.whyAbsent?.(file);
    return answer === undefined ? [] : `\n  ${file}: ${answer}`;
  });
  return new ModelError(`${folder.name}: ${why}${answers.join("")}`);
}

async function adapter(folder: Folder): Promise<string | undefined> {
  const text = await readString(folder, "adapter_config.json");
  if (text === undefined) return undefined;
  const base = /"base_model_name_or_path"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return (
    `it holds an adapter of ${base ?? "another model"} and not a model. Merge the two and give the merged directory. In Python, with ` +
    "`peft`: AutoPeftModelForCausalLM.from_pretrained(adapter).merge_and_unload().save_pretrained(merged)"
  );
}

function pickles(names: readonly string[]): string | undefined {
  const refused = "pickles, which are not read because reading one can run any code";
  const meta = names.find((name) => /^consolidated\.\d+\.pth$/.test(name));
  if (meta)
    return (
      `its weights are Meta's own files (${meta}): ${refused}. Give the model in Hugging Face's format, as \`hf download\` gets it, ` +
      "or convert it with the script convert_llama_weights_to_hf.py of `transformers`."
    );
  const pickle = names.find((name) => /\.(bin|bin\.index\.json|pt|pth|ckpt)$/.test(name) && !ofTraining.test(name));
  if (!pickle) return undefined;
  return (
    `its weights are in ${pickle}: ${refused}. Convert them to safetensors. In Python, with \`transformers\`: ` +
    'AutoModelForCausalLM.from_pretrained(directory, dtype="auto").save_pretrained(converted, safe_serialization=True)'
  );
}

/** Pickles that a training run leaves beside a model: they are not its weights. */
const ofTraining = /^(training_args|optimizer|scheduler|scaler|rng_state)/;

function gguf(names: readonly string[]): string | undefined {
  const file = names.find((name) => name.endsWith(".gguf"));
  return (
    file &&
    `its weights are GGUF (${file}), which is not read. Give the directory in Hugging Face's format that they were made from.`
  );
}

/** A snapshot in a Hugging Face cache holds the files that were downloaded, which may be the tokenizer alone. */
function incompleteSnapshot({ name }: Folder, lacks: string): string | undefined {
  const model = cachedModelName(name);
  return model && `only a part of this snapshot is in the cache, without ${lacks}. Run \`hf download ${model}\`.`;
}

function noWeights(names: readonly string[]): string {
  const other = names.find((name) => name.endsWith(".safetensors"));
  const found = other ? `; ${other} is neither that file nor in an index` : "";
  return `there are no weights beside its config.json: expected model.safetensors, or model.safetensors.index.json and its shards${found}`;
}

async function noConfig(folder: Folder, names: readonly string[]): Promise<string> {
  const cached = names.flatMap((name) => cachedModelName(name) ?? []);
  if (cached.length > 0) return `it is a Hugging Face cache. Give one of its models by name: ${someOf(cached)}`;
  const inside = await filesIn(
    folder,
    names.slice(0, 1000).map((name) => `${name}/config.json`),
  );
  const models = inside.map((file) => file.slice(0, -"/config.json".length));
  if (models.length > 0) return `there is no config.json in it. Give one of the models inside: ${someOf(models)}`;
  return "there is no config.json in it. Give the directory of one model in Hugging Face's format, with config.json and *.safetensors.";
}

/** Those of `files` that the folder has. */
async function filesIn(folder: Folder, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) if (await hasFile(folder, file)) found.push(file);
  return found;
}

function someOf(names: readonly string[]): string {
  return `${names.toSorted().slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
}
