import { supportedFamily } from "@lethe/auto";
import { type Decoder, type DecoderConfig, folderOf, type ModelPlace, readConfig, readRope } from "@lethe/decoder";
import { type Folder, parseJson, quote, readWholeText } from "@lethe/tensor";
import { ExperimentError } from "../errors.ts";
import { placeName } from "./place.ts";
import type { Vanilla } from "./vanilla/vanilla.ts";

/** Sizes and settings that decide what a model computes from its weights. Whether its embeddings are tied only decides where they are kept. */
const FIELDS = [
  "model_type",
  "hidden_size",
  "intermediate_size",
  "num_hidden_layers",
  "num_attention_heads",
  "num_key_value_heads",
  "head_dim",
  "vocab_size",
  "rms_norm_eps",
  "clip_qkv",
  "attention_bias",
  "mlp_bias",
];

/** One way in which two models differ: what it is, and the value in each. */
type Difference = readonly [what: string, vanilla: unknown, unlearned: unknown];

/**
 * Requires that one model can have been made from another by unlearning: the family, the sizes and settings of `config.json`, and the
 * tokenizer, where both have one, must be the same. Only small files are read. An unlearned model may have further tokens, because
 * questions are asked with the vanilla model's tokenizer.
 * @param vanilla a directory, or a model's name on the Hugging Face Hub; so is `unlearned`
 * @throws ExperimentError that names every difference
 * @throws ModelError or ConfigError when one of them is no model that Lethe loads
 */
export async function requireBelonging(vanilla: ModelPlace, unlearned: ModelPlace): Promise<void> {
  const folders = [await folderOf(vanilla), await folderOf(unlearned)] as const;
  const [one, other] = [await settingsOf(folders[0]), await settingsOf(folders[1])];
  const differences: Difference[] = [...one.keys(), ...other.keys()].flatMap((field) => {
    const [a, b] = [one.get(field), other.get(field)];
    return a === b ? [] : [[field, a, b] as const];
  });
  const tokens = await differentTokens(...folders);
  if (tokens) differences.push(tokens);
  if (differences.length === 0) return;
  const [before, after] = [placeName(vanilla), placeName(unlearned)];
  const lines = new Map(
    differences.map(([what, a, b]) => [what, `${what} is ${said(b)} in ${after}, and ${said(a)} in ${before}`]),
  );
  throw new ExperimentError(
    `${after} was not made from ${before}:\n  ${[...lines.values()].join("\n  ")}\n` +
      "An unlearned model must be of the family, the sizes and the tokenizer of its vanilla model. Name the model from which it was made.",
  );
}

/**
 * Requires that a model's weights are not all those of another one.
 * @throws ExperimentError when they are: then nothing was unlearned
 */
export async function requireChanged(vanilla: Vanilla, model: Decoder, signal: AbortSignal): Promise<void> {
  // Value vectors first: every common way of unlearning changes them, and some change nothing else.
  const rank = (name: string) => {
    const size = vanilla.weights.get(name)!.shape.reduce((product, dim) => product * dim);
    return name.includes("down_proj") ? size - Number.MAX_SAFE_INTEGER : size;
  };
  for (const name of [...vanilla.weights.keys()].sort((a, b) => rank(a) - rank(b))) {
    const other = model.weights.get(name);
    if (other === undefined) return;
    using weight = await vanilla.weight(name, { signal });
    const [before, after] = [await weight.read(), await other.read()];
    if (before.some((value, i) => value !== after[i])) return;
  }
  throw new ExperimentError(
    `Every weight of ${model.label} is that of ${vanilla.label}, so nothing was unlearned. Name two different models.`,
  );
}

/** The fields of a model's configuration that must be equal, with every default filled in. */
async function settingsOf(folder: Folder): Promise<Map<string, unknown>> {
  const raw = await readConfig(folder);
  const where = `${folder.name}: config.json`;
  const config = supportedFamily(raw, where).config(raw, where) as DecoderConfig & Readonly<Record<string, unknown>>;
  const { max_position_embeddings: trained, ...rope } = readRope(config).rope!;
  const positions = { ...rope, ...(rope.rope_type === "dynamic" && { max_position_embeddings: trained }) };
  const prefixed = Object.entries(positions).map(([field, value]) => [
    field.startsWith("rope") || field === "head_dim" ? field : `rope_scaling.${field}`,
    value,
  ]);
  return new Map([...FIELDS.map((field) => [field, config[field]]), ...prefixed] as [string, unknown][]);
}

/** What of a `tokenizer.json` decides how a text becomes tokens. */
interface Tokenizer {
  readonly tokens: ReadonlyMap<number, string>;
  /** Pairs of tokens that become one, in the order in which they are tried. */
  readonly merges: readonly string[];
}

/**
 * The first difference between the tokenizers of two models, undefined where there is none that matters. What is wrong with a file is said
 * when its model is loaded.
 */
async function differentTokens(vanilla: Folder, unlearned: Folder): Promise<Difference | undefined> {
  const [one, other] = [await textOf(vanilla), await textOf(unlearned)];
  if (one === undefined || other === undefined || one === other) return undefined;
  const [before, after] = [tokenizerOf(one), tokenizerOf(other)];
  if (!before || !after) return undefined;
  for (const [id, token] of [...before.tokens].sort(([a], [b]) => a - b))
    if (after.tokens.get(id) !== token) return [`token ${id} of tokenizer.json`, token, after.tokens.get(id)];
  const length = Math.max(before.merges.length, after.merges.length);
  for (let i = 0; i < length; i++)
    if (before.merges[i] !== after.merges[i])
      return [`merge ${i} of tokenizer.json`, before.merges[i], after.merges[i]];
  return undefined;
}

async function textOf(folder: Folder): Promise<string | undefined> {
  const source = await folder.open("tokenizer.json");
  return source && readWholeText(source);
}

function tokenizerOf(text: string): Tokenizer | undefined {
  try {
    const { model, added_tokens } = parseJson(text) as {
      readonly model: { readonly vocab: Record<string, number> | [string, number][]; readonly merges?: unknown[] };
      readonly added_tokens?: readonly { readonly id: number; readonly content: string }[] | null;
    };
    // Unigram tokenizers have a list of tokens with scores.
    const vocabulary = Array.isArray(model.vocab)
      ? model.vocab.map(([token], id) => [id, token] as const)
      : Object.entries(model.vocab).map(([token, id]) => [id, token] as const);
    const added = (added_tokens ?? []).map(({ id, content }) => [id, content] as const);
    // Newer files write a merge as a list of two tokens, older ones as a text with a space between.
    const merges = (model.merges ?? []).map((merge) => (Array.isArray(merge) ? merge.join(" ") : String(merge)));
    return { tokens: new Map([...vocabulary, ...added]), merges };
  } catch {
    return undefined;
  }
}

function said(value: unknown): string {
  return value === undefined || value === null ? "absent" : typeof value === "string" ? quote(value) : String(value);
}
