import type { FloatDType, MemoryNeed } from "@lethe/tensor";
import { modules } from "./names.ts";

/** Which part of a model a weight belongs to: the first whose names it has. */
const parts: readonly (readonly [part: string, names: string])[] = [
  ["norms", "norm."],
  ["embedding", `${modules.embedding}.`],
  ["unembedding", `${modules.unembedding}.`],
  ["attention", ".self_attn."],
  ["MLP", ".mlp."],
];

/** What an element of a weight takes, on the device and in a file. */
export const bytesPerElement = { f32: 4, f16: 2, bf16: 2 } as const;

/** What a weight takes on the device. */
export function weightMemory(name: string, shape: readonly number[], dtype: FloatDType): MemoryNeed {
  const part = parts.find(([, names]) => name.includes(names))?.[0] ?? "other weights";
  return { part, name, bytes: shape.reduce((product, dim) => product * dim, bytesPerElement[dtype]) };
}
