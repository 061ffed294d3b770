/** Reads what `reference.py` wrote beside a model; that file says how each value is computed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSafetensors, toFloat32 } from "@lethe/tensor";
import { fileSource } from "@lethe/tensor/node";

type Tokens = readonly number[];

export interface Expected {
  /** Version of the package; so is `torch`. */
  readonly transformers: string;
  readonly torch: string;
  readonly prompts: readonly Tokens[];
  /** How many tokens are generated after each prompt, unless an EOS ends it before. */
  readonly newTokens: number;
  /** New tokens of each prompt, and the EOS where one ended them: alone with and without a KV cache, and in a padded batch. */
  readonly greedy: Readonly<Record<"cache" | "noCache" | "padded", readonly Tokens[]>>;
  readonly adamw: {
    readonly steps: number;
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
  };
  /** The loss over all prompts before each step of AdamW. */
  readonly losses: readonly number[];
  /** Of each prompt alone, `[T, V]`. */
  readonly logits: readonly Float32Array[];
  /** Of each prompt in a padded batch, `[T, V]`. */
  readonly padded: readonly Float32Array[];
  /** Of the first prompt, by the names of hook points. */
  readonly activations: ReadonlyMap<string, Float32Array>;
  /** Of the first loss, by the names of weights. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

export async function readExpected(directory: string): Promise<Expected> {
  const record = JSON.parse(await readFile(join(directory, "expected.json"), "utf8"));
  const file = await openSafetensors(await fileSource(join(directory, "expected.safetensors")));
  const all = new Map<string, Float32Array>();
  for (const name of file.names()) all.set(name, toFloat32(await file.read(name), "F32"));
  await file.close();
  const group = (prefix: string) =>
    new Map(
      [...all].flatMap(([name, values]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), values]] : [])),
    );
  const byPrompt = (prefix: string) => (record.prompts as unknown[]).map((_, i) => all.get(`${prefix}${i}`)!);
  return {
    ...record,
    logits: byPrompt("logits/"),
    padded: byPrompt("padded/"),
    activations: group("activations/"),
    gradients: group("gradients/"),
  };
}
