import { type F32, LetheError, type Tensor } from "@lethe/tensor";

/** A parameter, or one column of it, that is trained. */
export interface Trainable {
  /** Hugging Face's name of the weight. */
  readonly name: string;
  readonly parameter: F32;
  /** Only this column of a matrix is trained: one value vector of `down_proj`. */
  readonly column?: number;
}

/**
 * What is trained, by the names of the released code: everything; the value vectors W_V of every layer; or one of them, the
 * concept vector `dim` of `layer` (`Needle`).
 */
export type TrainableFilter = "all" | "all_value_vectors" | { readonly needle: Needle };

export interface Needle {
  readonly layer: number;
  readonly dim: number;
}

const valueVectors = /(?:^|\.)mlp\.down_proj\.weight$/;

/**
 * The parameters that a filter lets through, in their own order. A matrix under two names (tied embeddings) counts once.
 * @throws {LetheError} when none is left, one is not f32, or the needle's layer or column does not exist.
 */
export function selectTrainable(weights: Iterable<readonly [string, Tensor]>, filter: TrainableFilter): Trainable[] {
  const needle = typeof filter === "string" ? null : filter.needle;
  const seen = new Set<Tensor["storage"]>();
  const chosen: Trainable[] = [];
  for (const [name, weight] of weights) {
    if (!matches(name, filter) || seen.has(weight.storage)) continue;
    seen.add(weight.storage);
    if (weight.dtype !== "f32")
      throw new LetheError(`${name} is ${weight.dtype}; only f32 can be trained. Load the model with f32 weights.`);
    const parameter = weight as F32;
    chosen.push(needle ? { name, parameter, column: columnOf(name, parameter, needle) } : { name, parameter });
  }
  if (chosen.length === 0)
    throw new LetheError(
      needle
        ? `needle: no weight is named model.layers.${needle.layer}.mlp.down_proj.weight`
        : `${filter}: no weight matches`,
    );
  return chosen;
}

function matches(name: string, filter: TrainableFilter): boolean {
  if (filter === "all") return true;
  if (!valueVectors.test(name)) return false;
  return filter === "all_value_vectors" || name.includes(`layers.${filter.needle.layer}.`);
}

function columnOf(name: string, { shape }: F32, { dim }: Needle): number {
  const width = shape[1] ?? 0;
  if (!(Number.isInteger(dim) && dim >= 0 && dim < width))
    throw new LetheError(`needle: ${name} has value vectors 0 to ${width - 1}, and ${dim} was asked for`);
  return dim;
}
