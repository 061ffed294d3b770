import { OutOfMemoryError } from "../errors.ts";
import type { Device } from "./device.ts";

/** A buffer that work is going to need. */
export interface MemoryNeed {
  /** What it is part of, such as "attention" or "gradients": needs are added up by part. */
  readonly part: string;
  /** What it holds, such as a weight's name. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * Makes sure that work can have its memory, before it starts. What waits in the pool is given back first, so that it is not in the
 * way. Where nobody knows how much memory there is ({@link Device.freeBytes}), only the size of each buffer is checked.
 * @param work what needs the memory, such as "models/x"
 * @param advice what to do where there is not enough
 * @throws {OutOfMemoryError} that says how many bytes are needed, by part, and how many there are, or which buffers are larger than
 *   the adapter allows.
 */
export function requireMemory(device: Device, work: string, needs: readonly MemoryNeed[], advice: string): void {
  const { adapterName, capabilities } = device;
  const tooLarge = needs.filter(({ bytes }) => bytes > capabilities.maxBufferBytes);
  if (tooLarge.length > 0) {
    const rows = tooLarge.map(({ part, name, bytes }) => [`${name} (${part})`, bytes] as const);
    throw new OutOfMemoryError(
      `${work} needs buffers larger than the ${inBytes(capabilities.maxBufferBytes)} that ${adapterName} allows.\n${table(rows)}\n${advice}`,
    );
  }
  const free = device.freeBytes();
  const total = needs.reduce((sum, { bytes }) => sum + bytes, 0);
  if (free !== null && total > free) {
    const parts = new Map<string, number>();
    for (const { part, bytes } of needs) parts.set(part, (parts.get(part) ?? 0) + bytes);
    throw new OutOfMemoryError(
      `${work} needs ${inBytes(total)} of memory, and ${adapterName} has ${inBytes(free)} to offer.\n${table([...parts])}\n${advice}`,
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
