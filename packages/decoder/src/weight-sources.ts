import type { Checkpoint } from "@lethe/tensor";
import { ModelError } from "./errors.ts";

/** Shape of each weight by its name. */
export type WeightShapes = ReadonlyMap<string, readonly number[]>;

/** Where a weight lies in a checkpoint: rows of a tensor, from `firstRow` on, as many as the weight has. */
export interface WeightSource {
  readonly tensor: string;
  readonly firstRow: number;
}

/** For a weight's name where it lies. A weight that is not named is the whole tensor of its own name. */
export type WeightSources = ReadonlyMap<string, WeightSource>;

/** A tensor of a checkpoint as a model needs it. */
export interface StoredTensor {
  /** With the rows of all its weights together. */
  readonly shape: readonly number[];
  /** Those whose rows it holds, one after the other. */
  readonly weights: readonly StoredWeight[];
}

interface StoredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly firstRow: number;
}

/** The checkpoint's tensors that a model's weights lie in, by name. */
export function storedTensors(shapes: WeightShapes, sources: WeightSources = new Map()): Map<string, StoredTensor> {
  const byTensor = new Map<string, StoredWeight[]>();
  for (const [name, shape] of shapes) {
    const { tensor, firstRow } = sources.get(name) ?? { tensor: name, firstRow: 0 };
    const others = byTensor.get(tensor);
    if (others) others.push({ name, shape, firstRow });
    else byTensor.set(tensor, [{ name, shape, firstRow }]);
  }
  return new Map(
    Array.from(byTensor, ([tensor, weights]) => {
      weights.sort((a, b) => a.firstRow - b.firstRow);
      const { shape } = weights[0]!;
      const rows = weights.reduce((sum, { shape }) => sum + shape[0]!, 0);
      return [tensor, { shape: [rows, ...shape.slice(1)], weights }];
    }),
  );
}

/** Dtypes of a checkpoint that weights can have, and what they are called on the device. */
export const floats = { F32: "f32", F16: "f16", BF16: "bf16" } as const;
export type FloatTensor = keyof typeof floats;

/** @throws {ModelError} that lists every missing, unexpected, mis-shaped and unreadable tensor, as the checkpoint names it. */
export function checkTensors(
  checkpoint: Checkpoint,
  stored: ReadonlyMap<string, StoredTensor>,
  ignore: readonly RegExp[],
): void {
  const faults: string[] = [];
  for (const [name, { shape }] of stored) {
    if (!checkpoint.has(name)) {
      faults.push(`missing: ${name} [${shape}]`);
      continue;
    }
    const info = checkpoint.info(name);
    if (`${info.shape}` !== `${shape}`)
      faults.push(`mis-shaped: ${name} is [${info.shape}], and config.json asks for [${shape}]`);
    if (!(info.dtype in floats)) faults.push(`not a floating-point type: ${name} is ${info.dtype}`);
  }
  for (const name of checkpoint.names()) {
    if (!stored.has(name) && !ignore.some((pattern) => pattern.test(name)))
      faults.push(`unexpected: ${name} [${checkpoint.info(name).shape}]`);
  }
  if (faults.length === 0) return;
  throw new ModelError(
    `${checkpoint.name}: its tensors are not those of the model that config.json describes.\n  ${faults.join("\n  ")}`,
  );
}
