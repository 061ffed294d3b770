import type { Checkpoint } from "@lethe/tensor";
import { ModelError } from "../errors.ts";
import type { WeightShapes } from "../pass/layout.ts";

/** Where a checkpoint keeps a weight: in a tensor, from row `firstRow` on. */
export interface WeightSource {
  readonly tensor: string;
  readonly firstRow: number;
}

/** The source of each weight, by the weight's name. A weight without an entry is the whole tensor of its own name. */
export type WeightSources = ReadonlyMap<string, WeightSource>;

/** The dtypes that a checkpoint's weights can have, and their names on the device. */
export const floats = { F32: "f32", F16: "f16", BF16: "bf16" } as const;
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
 * @throws {ModelError} when tensors are missing, unexpected, of the wrong shape or not floats; the message lists them all
 */
export function findWeights(
  checkpoint: Checkpoint,
  shapes: WeightShapes,
  sources: WeightSources = new Map(),
  ignore: readonly RegExp[] = [],
): FoundWeight[] {
  const sourceOf = (name: string) => sources.get(name) ?? { tensor: name, firstRow: 0 };
  const tensors = new Map<string, readonly number[]>();
  for (const [name, shape] of shapes) {
    const { tensor } = sourceOf(name);
    const others = tensors.get(tensor);
    tensors.set(tensor, others ? [others[0]! + shape[0]!, ...shape.slice(1)] : shape);
  }
  checkTensors(checkpoint, tensors, ignore);
  return Array.from(shapes, ([name, shape]) => {
    const { tensor, firstRow } = sourceOf(name);
    const { dtype, bytes, shape: whole } = checkpoint.info(tensor);
    const rowBytes = bytes / whole[0]!;
    const range = { begin: firstRow * rowBytes, end: (firstRow + shape[0]!) * rowBytes };
    return { name, shape, tensor, stored: dtype as FloatTensor, range };
  });
}

function checkTensors(checkpoint: Checkpoint, tensors: WeightShapes, ignore: readonly RegExp[]): void {
  const problems: string[] = [];
  for (const [name, shape] of tensors) {
    if (!checkpoint.has(name)) {
      problems.push(`missing: ${name} [${shape}]`);
      continue;
    }
    const info = checkpoint.info(name);
    if (`${info.shape}` !== `${shape}`)
      problems.push(`mis-shaped: ${name} is [${info.shape}], and config.json asks for [${shape}]`);
    if (!(info.dtype in floats)) problems.push(`not a floating-point type: ${name} is ${info.dtype}`);
  }
  for (const name of checkpoint.names()) {
    if (!tensors.has(name) && !ignore.some((pattern) => pattern.test(name)))
      problems.push(`unexpected: ${name} [${checkpoint.info(name).shape}]`);
  }
  if (problems.length === 0) return;
  throw new ModelError(
    `${checkpoint.name}: its tensors are not those of the model that config.json describes.\n  ${problems.join("\n  ")}`,
  );
}
