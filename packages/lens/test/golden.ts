import { readFile } from "node:fs/promises";
import { batchOf, type Decoder } from "@lethe/decoder";
import { initLlama } from "@lethe/llama";
import { initOlmo } from "@lethe/olmo";
import type { Device } from "@lethe/tensor";

/** Numbers in nested lists; null stands for −∞, which JSON lacks. */
type Nested = number | null | readonly Nested[];

interface Stack {
  readonly labels: string[];
  readonly components: Nested;
}

/** What `make_transformer_lens.py` computed for one model. */
export interface GoldenModel {
  // biome-ignore lint/suspicious/noExplicitAny: the config of either family.
  readonly config: any;
  readonly logits: number[];
  readonly clean: number;
  readonly corrupted: number;
  readonly activations: Record<string, Nested>;
  readonly weights: Record<"W_Q" | "W_K" | "W_V" | "W_O" | "W_E" | "W_U", Nested>;
  readonly residual: Record<"accumulated" | "decomposed" | "heads" | "beforeMlp", Stack>;
  readonly attributed: Record<"decomposed" | "accumulated" | "heads", Nested>;
  readonly lens: Nested;
  readonly patched: Record<"resid_pre" | "A" | "M" | "z" | "q" | "pattern", Nested>;
  readonly attribution: Record<"resid_pre" | "M" | "z" | "pattern", Nested>;
}

interface Golden {
  readonly clean: number[];
  readonly corrupted: number[];
  readonly right: number;
  readonly wrong: number;
  readonly models: Record<"llama" | "olmo", GoldenModel>;
}

export const golden: Golden = JSON.parse(
  await readFile(new URL("golden/transformer-lens.json", import.meta.url), "utf8"),
);

export function numbersOf(nested: Nested): number[] {
  if (nested === null) return [-Infinity];
  return typeof nested === "number" ? [nested] : nested.flatMap(numbersOf);
}

/** A model with the weights of the script. */
export function modelOf(device: Device, name: "llama" | "olmo"): Decoder {
  const { config } = golden.models[name];
  const model = name === "llama" ? initLlama(device, config, 0) : initOlmo(device, config, 0);
  for (const [name, weight] of model.weights) {
    const values = Float32Array.from({ length: weight.size }, (_, place) => {
      const wave = Math.sin(1.7 * place + name.length) * 0.8 + Math.sin(0.013 * place * place) * 0.25;
      return name.includes("norm") ? 1 + wave / 4 : wave / 2;
    });
    device.writeBytes(weight, 0, new Uint8Array(values.buffer));
  }
  // A model makes its rotary table in its first run and keeps it. Tests count bytes.
  using _ = device.scope("warm-up");
  model.forward(batchOf(device, [[1]]));
  return model as Decoder;
}
