import type { Folder } from "@lethe/tensor";
import { ModelError } from "../errors.ts";

/** What tells one mistake from another where a folder cannot list what it holds. */
const telling = ["adapter_config.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"];

/**
 * Why a folder without `config.json`, or with it and without weights, is no model's directory, and what to do about it. What it
 * holds says more than what it lacks, so that goes first.
 */
export async function notAModel(folder: Folder, lacks: "config.json" | "weights"): Promise<ModelError> {
  const names = (await folder.list?.()) ?? (await thoseThere(folder, telling));
  const why =
    (await adapter(folder, names)) ??
    pickles(names) ??
    gguf(names) ??
    incompleteSnapshot(folder, lacks) ??
    (lacks === "weights" ? noWeights(names) : await noConfig(folder, names));
  return new ModelError(`${folder.name}: ${why}`);
}

async function adapter(folder: Folder, names: readonly string[]): Promise<string | undefined> {
  if (!names.includes("adapter_config.json")) return undefined;
  const source = await folder.open("adapter_config.json");
  const text = new TextDecoder().decode(await source?.read(0, source.size));
  await source?.close?.();
  const base = /"base_model_name_or_path"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return (
    `it holds an adapter of ${base ?? "another model"} and not a model. Merge the two and give the merged directory. In Python, with ` +
    "`peft`: AutoPeftModelForCausalLM.from_pretrained(adapter).merge_and_unload().save_pretrained(merged)"
  );
}

function pickles(names: readonly string[]): string | undefined {
  const never = "pickles, which are not read because reading one can run any code";
  const meta = names.find((name) => /^consolidated\.\d+\.pth$/.test(name));
  if (meta)
    return (
      `its weights are Meta's own files (${meta}): ${never}. Give the model in Hugging Face's format, as \`hf download\` gets it, ` +
      "or convert it with the script convert_llama_weights_to_hf.py of `transformers`."
    );
  const pickle = names.find((name) => /\.(bin|bin\.index\.json|pt|pth|ckpt)$/.test(name) && !ofTraining.test(name));
  if (!pickle) return undefined;
  return (
    `its weights are in ${pickle}: ${never}. Convert them to safetensors. In Python, with \`transformers\`: ` +
    'AutoModelForCausalLM.from_pretrained(directory, dtype="auto").save_pretrained(converted, safe_serialization=True)'
  );
}

/** Pickles that a training run leaves beside a model. */
const ofTraining = /^(training_args|optimizer|scheduler|scaler|rng_state)/;

function gguf(names: readonly string[]): string | undefined {
  const file = names.find((name) => name.endsWith(".gguf"));
  return (
    file &&
    `its weights are GGUF (${file}), which is not read. Give the directory in Hugging Face's format that they were made from.`
  );
}

/** A snapshot in a Hugging Face cache holds what somebody asked for, which may be the tokenizer alone. */
function incompleteSnapshot({ name }: Folder, lacks: string): string | undefined {
  const [, org, model] = /models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]?$/.exec(name) ?? [];
  return org && `only a part of this snapshot is in the cache, without ${lacks}. Run \`hf download ${org}/${model}\`.`;
}

function noWeights(names: readonly string[]): string {
  const other = names.find((name) => name.endsWith(".safetensors"));
  const found = other ? `; ${other} is neither that file nor in an index` : "";
  return `there are no weights beside its config.json: expected model.safetensors, or model.safetensors.index.json and its shards${found}`;
}

async function noConfig(folder: Folder, names: readonly string[]): Promise<string> {
  const repositories = names.flatMap((name) => name.match(/^models--.+?--.+$/) ?? []);
  if (repositories.length > 0) {
    const models = repositories.map((name) => name.split("--").slice(1).join("/"));
    return `it is a Hugging Face cache. Give one of its models by name: ${someOf(models)}`;
  }
  const inside = await thoseThere(
    folder,
    names.map((name) => `${name}/config.json`),
  );
  const models = inside.map((file) => file.slice(0, -"/config.json".length));
  if (models.length > 0) return `there is no config.json in it. Give one of the models inside: ${someOf(models)}`;
  return "there is no config.json in it. Give the directory of one model in Hugging Face's format, with config.json and *.safetensors.";
}

/** Those of the files that the folder has. */
async function thoseThere(folder: Folder, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const source = await folder.open(file);
    if (source) found.push(file);
    await source?.close?.();
  }
  return found;
}

function someOf(names: readonly string[]): string {
  return `${names.toSorted().slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
}
