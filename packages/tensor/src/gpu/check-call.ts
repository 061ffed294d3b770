import { DeviceValidationError } from "../errors.ts";
import type { Pipeline } from "./pipelines.ts";
import type { BoundRange } from "./pool.ts";

/**
 * Checks a run of a kernel against what the kernel's source declares, before anything reaches the device.
 * @param ranges what each storage binding of the source is bound to, in their order
 * @param bindings the bindings that were given, by name
 * @throws {DeviceValidationError} when a parameter is no finite number, a name is not the kernel's, or a buffer that is written
 *   is bound a second time
 */
export function checkCall(
  { kernel, interface: { params: fields, storage } }: Pipeline,
  ranges: readonly BoundRange[],
  bindings: Readonly<Record<string, unknown>>,
  params: Readonly<Record<string, number>>,
): void {
  for (const { name } of fields) {
    if (!Number.isFinite(params[name]))
      throw new DeviceValidationError(`kernel ${kernel}: parameter ${name} is ${params[name]}, not a finite number`);
  }
  let given = 0;
  for (const _ in bindings) given++;
  for (const _ in params) given++;
  if (given !== storage.length + fields.length)
    throw new DeviceValidationError(
      `kernel ${kernel} takes bindings ${storage.map((b) => b.name)} and parameters ${fields.map((p) => p.name)}; ` +
        `it was given ${Object.keys(bindings)} and ${Object.keys(params)}`,
    );
  for (let i = 0; i < storage.length; i++) {
    if (!storage[i]!.writable) continue;
    const range = ranges[i]!;
    for (let j = 0; j < ranges.length; j++) {
      const other = ranges[j]!;
      if (j === i || other.buffer !== range.buffer) continue;
      // WebGPU lets a kernel write several parts of one buffer, but not read one and write another.
      if (!storage[j]!.writable || overlap(other, range))
        throw new DeviceValidationError(
          `kernel ${kernel}: ${storage[i]!.name} is written and also bound a second time`,
        );
    }
  }
}

function overlap(a: BoundRange, b: BoundRange): boolean {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}
