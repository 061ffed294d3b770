import { OutOfMemoryError } from "../errors.ts";
import type { Device } from "../tensor.ts";

/** A buffer that work will need. */
export interface MemoryNeed {
  /** The part of the work that needs it, such as "attention" or "gradients". Messages give one sum for each part. */
  readonly part: string;
  /** The content of the buffer, such as a weight's name. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * Checks, before work starts, that there is memory for it, and returns the pool's free memory to the system. Where the free memory
 * is not known ({@link Device.freeBytes}), only the size of each buffer is checked.
 * @param work a name for what needs the memory, such as "models/x"
 * @param advice what else a person can do, as a whole sentence
 * @throws {OutOfMemoryError} with the bytes needed, by part, and the bytes there are; or with the buffers that are larger than the
 *   adapter allows.
 */
export function requireMemory(device: Device, work: string, needs: readonly MemoryNeed[], advice?: string): void {
  const whatToDo = `${advice ? `${advice} ` : ""}Take a smaller model, or another adapter.`;
  const { adapterName, capabilities } = device;
  const tooLarge = needs.filter(({ bytes }) => bytes > capabilities.maxBufferBytes);
  if (tooLarge.length > 0) {
    const rows = tooLarge.map(({ part, name, bytes }) => [`${name} (${part})`, bytes] as const);
    throw new OutOfMemoryError(
      `${work} needs buffers larger than the ${inBytes(capabilities.maxBufferBytes)} that ${adapterName} allows.\n${table(rows)}\n${whatToDo}`,
    );
  }
  const free = device.freeBytes();
  const total = needs.reduce((sum, { bytes }) => sum + bytes, 0);
  if (free !== null && total > free) {
    const parts = new Map<string, number>();
    for (const { part, bytes } of needs) parts.set(part, (parts.get(part) ?? 0) + bytes);
    throw new OutOfMemoryError(
      `${work} needs ${inBytes(total)} of memory, and ${adapterName} has ${inBytes(free)} to offer.\n${table([...parts])}\n${whatToDo}`,
    );
  }
  device.trim();
}

function table(rows: readonly (readonly [string, number])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, bytes]) => `  ${name.padEnd(width)}  ${inBytes(bytes)}`).join("\n");
}

const units = ["KiB", "MiB", "GiB", "TiB"];

function inBytes(bytes: number): string {
  const exact = `${bytes.toLocaleString("en-US")} bytes`;
  const power = Math.min(Math.floor(Math.log2(Math.max(1, bytes)) / 10), units.length);
  return power === 0 ? exact : `${exact} (${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]})`;
}
