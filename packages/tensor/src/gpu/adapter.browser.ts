import { AdapterError } from "../errors.ts";
import type { AdapterChoice } from "./options.ts";

/** Finds an adapter through `navigator.gpu`. */
export async function findAdapter(_choice: AdapterChoice): Promise<GPUAdapter> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu)
    throw new AdapterError(
      "This browser has no WebGPU (navigator.gpu is missing). Use a recent Chrome, Edge, Safari or Firefox, over https or localhost.",
    );
  const adapter =
    (await gpu.requestAdapter({ powerPreference: "high-performance" })) ??
    (await gpu.requestAdapter({ forceFallbackAdapter: true }));
  if (!adapter)
    throw new AdapterError(
      "The browser offers WebGPU but no adapter. Check that hardware acceleration is switched on.",
    );
  return adapter;
}

/** A page cannot know how much memory is free. */
export function freeHostBytes(): null {
  return null;
}

/** A page has no environment variables. */
export function statedMemoryBytes(): undefined {
  return undefined;
}

/** Calls a function that starts a task of the device: a browser waits without keeping a processor busy. */
export function paced<T>(start: () => T): T {
  return start();
}

/** A page cannot make the browser collect its memory; the browser does so by itself. */
export function collectGarbage(): void {}

/** A page does not know of memory mappings; its device is in another process. */
export function mappingsAllowed(): null {
  return null;
}

/** See {@link mappingsAllowed}. */
export function mappingsInUse(): null {
  return null;
}
