export { type ArrayOf, byteLength, bytesPerElement, type DType, type FloatDType } from "./dtype.ts";
export * from "./errors.ts";
export { excerpt, listed, quote } from "./excerpt.ts";
export type { Capabilities } from "./gpu/capabilities.ts";
export { describeMemory, type MemoryReport } from "./gpu/memory-report.ts";
export { openDevice } from "./gpu/open.ts";
export type { AdapterChoice, DeviceOptions } from "./gpu/options.ts";
export type { Recording } from "./gpu/recording.ts";
export { type MemoryNeed, memoryFits, requireMemory } from "./gpu/require-memory.ts";
export { sketchDevice } from "./gpu/sketch.ts";
export type { MatmulChoice, Tuning } from "./gpu/tuning.ts";
export { joined, split } from "./joined.ts";
export * from "./ops/index.ts";
export { parseJson } from "./parse-json.ts";
export { integerBelow, type Random, randomOf, seedOf, shuffled } from "./random.ts";
export type { Values } from "./row-major.ts";
export * from "./safetensors/index.ts";
export type { Scope } from "./scope.ts";
export type {
  Broadcast,
  BroadcastFits,
  Last,
  Leading,
  LinearFits,
  LinearShape,
  MatmulFits,
  MatmulShape,
  Reduced,
  SameShape,
  Shape,
  ShapeMismatch,
  Transposed,
} from "./shape.ts";
export { type Binding, Device, type Dispatch, Tensor } from "./tensor.ts";
export { bytesTogether, follows, stretch, together } from "./together.ts";
export { viewAt } from "./view-at.ts";
