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
 * Checks, before work starts, that there is memory for it. Returns the pool's free memory to the system where the work needs it. Where
 * the free memory is not known ({@link Device.freeBytes}), only the size of each buffer is checked.
 * @param work a name for what needs the memory, such as "models/x"
 * @param advice what else a person can do, as a whole sentence
 * @throws {OutOfMemoryError} with the bytes needed, by part, and the bytes there are; or with the buffers that are larger than the
 *   adapter allows.
 */
export function requireMemory(
  device: Device,
  work: string,
  needs: readonly MemoryNeed[],
  advice?: string | (() => string),
): void {
  const whatToDo = () => {
    const first = typeof advice === "function" ? advice() : advice;
    return `${first ? `${first} ` : ""}Take a smaller model, or another adapter.`;
  };
  const { adapterName, capabilities } = device;
  const tooLarge = tooLargeOf(device, needs);
  if (tooLarge.length > 0) {
    const shown = tooLarge.slice(0, mostShown).map(({ part, name, bytes }) => [`${name} (${part})`, bytes] as const);
    const rest = tooLarge.length > mostShown ? `\n  and ${tooLarge.length - mostShown} more` : "";
    throw new OutOfMemoryError(
      `${work} needs buffers larger than the ${inBytes(capabilities.maxBufferBytes)} that ${adapterName} allows.\n${table(shown)}${rest}\n${whatToDo()}`,
    );
  }
  const free = device.freeBytes();
  const total = totalOf(needs);
  if (free !== null && total > free) {
    const parts = new Map<string, number>();
    for (const { part, bytes } of needs) parts.set(part, (parts.get(part) ?? 0) + bytes);
    throw new OutOfMemoryError(
      `${work} needs ${inBytes(total)} of memory, and ${adapterName} has ${inBytes(free)} to offer.\n${table([...parts])}\n${whatToDo()}`,
    );
  }
  // The pool's buffers may serve the work, where it is no larger than they are together or there is memory beside them.
  const { bytesPooled } = device.memory();
  if (total > (free === null ? bytesPooled : free - bytesPooled)) device.trim();
}

/** Whether {@link requireMemory} would find no fault. */
export function memoryFits(device: Device, needs: readonly MemoryNeed[]): boolean {
  return tooLargeOf(device, needs).length === 0 && totalOf(needs) <= (device.freeBytes() ?? Number.POSITIVE_INFINITY);
}

/** A message names so many buffers at most. */
const mostShown = 12;

function tooLargeOf({ capabilities }: Device, needs: readonly MemoryNeed[]): MemoryNeed[] {
  return needs.filter(({ bytes }) => bytes > capabilities.maxBufferBytes);
}

function totalOf(needs: readonly MemoryNeed[]): number {
  return needs.reduce((sum, { bytes }) => sum + bytes, 0);
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
