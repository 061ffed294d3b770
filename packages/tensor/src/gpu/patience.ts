type Immediate = typeof globalThis.setImmediate;

const later = ((callback: (...values: unknown[]) => void, ...values: unknown[]) =>
  setTimeout(callback, 0, ...values)) as unknown as Immediate;

let waiting = 0;
let prompt: Immediate | undefined;

/**
 * Awaits something of the device without keeping a core busy. Dawn in Node looks for finished work through `setImmediate`, over and
 * over, so a wait costs a whole core: nothing on a GPU, but a software adapter computes on that core. Meanwhile `setImmediate` waits for
 * the clock's next millisecond.
 */
export async function patiently<T>(wait: Promise<T>): Promise<T> {
  if (typeof globalThis.setImmediate === "undefined") return wait;
  if (waiting++ === 0) {
    prompt = globalThis.setImmediate;
    globalThis.setImmediate = later;
  }
  try {
    return await wait;
  } finally {
    if (--waiting === 0) globalThis.setImmediate = prompt!;
  }
}
