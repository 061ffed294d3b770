import type { Checkpoint } from "@lethe/tensor";
import { modules, type WeightShapes } from "../pass/layout.ts";
import type { WeightSource, WeightSources } from "./find-weights.ts";

/**
 * Where a checkpoint keeps the weights that it does not hold under their own names. As `transformers` does: a model without its
 * unembedding (`LlamaModel`) names its tensors without `model.`, and of a tied pair a checkpoint may hold the unembedding alone.
 */
export function otherNames(checkpoint: Checkpoint, shapes: WeightShapes, tied: boolean): WeightSources {
  const [embedding, unembedding] = [`${modules.embedding}.weight`, `${modules.unembedding}.weight`];
  const sources = new Map<string, WeightSource>();
  for (const name of shapes.keys()) {
    const others = [name, name.replace(/^model\./, ""), ...(tied && name === embedding ? [unembedding] : [])];
    const tensor = others.find((other) => checkpoint.has(other));
    if (tensor !== undefined && tensor !== name) sources.set(name, { tensor, firstRow: 0 });
  }
  return sources;
}
