import { type Checkpoint, listed, quote } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import { modules, type WeightShapes } from "../pass/layout.ts";

/** Where a checkpoint keeps a weight: in a tensor, from row `firstRow` on. */
export interface WeightSource {
  readonly tensor: string;
  readonly firstRow: number;
}

/** The source of each weight, by the weight's name. A weight without an entry is the whole tensor of its own name. */
export type WeightSources = ReadonlyMap<string, WeightSource>;

/** The dtypes that a checkpoint's weights can have, and those on the device. f64 is rounded to f32. */
export const floats = { F64: "f32", F32: "f32", F16: "f16", BF16: "bf16" } as const;
export type FloatTensor = keyof typeof floats;

/** A weight, and where a checkpoint keeps it. */
export interface FoundWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly tensor: string;
  readonly stored: FloatTensor;
  /** Bytes of the tensor, without `end`. */
  readonly range: { readonly begin: number; readonly end: number };
}

/**
 * Finds each weight in a checkpoint, in the order of `shapes`.
 * @param ignore names of tensors that are ignored
 * @param warn is told of other tensors that no weight needs, and of f64 weights
 * @throws {ModelError} when tensors are missing, of the wrong shape or not floats; the message lists them
 */
export function findWeights(
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  sources: WeightSources,
  ignore: readonly RegExp[],
  warn: (message: string) => void,
): FoundWeight[] {
  const sourceOf = (name: string) => sources.get(name) ?? { tensor: name, firstRow: 0 };
  const tensors = new Map<string, readonly number[]>();
  for (const [name, shape] of shapes) {
    const { tensor } = sourceOf(name);
    const others = tensors.get(tensor);
    tensors.set(tensor, others ? [others[0]! + shape[0]!, ...shape.slice(1)] : shape);
  }
  const unused = checkpoint
    .names()
    .filter((name) => !tensors.has(name) && !ignore.some((ignored) => ignored.test(name)));
  checkTensors(checkpoint, tensors, unused);
  if (unused.length > 0)
    warn(`${checkpoint.name}: its model has no use for ${listed(unused.map(quote)).join(", ")}; they are not loaded`);
  if ([...tensors.keys()].some((name) => checkpoint.info(name).dtype === "F64"))
    warn(`${checkpoint.name}: its weights in f64 are rounded to f32`);
  return Array.from(shapes, ([name, shape]) => {
    const { tensor, firstRow } = sourceOf(name);
    const { dtype, bytes, shape: whole } = checkpoint.info(tensor);
    const rowBytes = bytes / whole[0]!;
    const range = { begin: firstRow * rowBytes, end: (firstRow + shape[0]!) * rowBytes };
    return { name, shape, tensor, stored: dtype as FloatTensor, range };
  });
}

function checkTensors(checkpoint: Checkpoint, tensors: WeightShapes, unused: readonly string[]): void {
  const problems: string[] = [];
  for (const [name, shape] of tensors) {
    if (!checkpoint.has(name)) {
      problems.push(`missing: ${name} [${shape}]`);
      continue;
    }
    const info = checkpoint.info(name);
    if (`${info.shape}` !== `${shape}`)
      problems.push(`mis-shaped: ${name} is [${info.shape}], and config.json asks for [${shape}]`);
    if (!Object.hasOwn(floats, info.dtype))
      problems.push(
        `of a type that is not read: ${name} is ${info.dtype}, expected one of ${Object.keys(floats).join(", ")}`,
      );
  }
  if (problems.length === 0) return;
  // Alone they are no fault. Here they may show what is wrong.
  for (const name of unused) problems.push(`unexpected: ${quote(name)} [${checkpoint.info(name).shape}]`);
  const unembedding = `${modules.unembedding}.weight`;
  const tied = tensors.has(unembedding) && !checkpoint.has(unembedding);
  const hint = `\nIf the model's unembedding is its embedding, config.json must say "tie_word_embeddings": true.`;
  throw new ModelError(
    `${checkpoint.name}: its tensors are not those of the model that config.json describes.\n  ${listed(problems).join("\n  ")}${tied ? hint : ""}`,
  );
}
