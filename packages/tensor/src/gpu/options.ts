import type { Tuning } from "./tuning.ts";

/** The values of {@link AdapterChoice}. */
export const adapterChoices = ["best", "swiftshader"] as const;
/**
 * Which adapter to open. `best` takes a GPU where there is one, then a software adapter of the system, then, on Linux
 * x64, the SwiftShader that an npm package carries. `swiftshader` goes straight to that last one.
 */
export type AdapterChoice = (typeof adapterChoices)[number];

/** How `openDevice` opens a device. */
export interface DeviceOptions {
  /** Default: `best`. */
  readonly adapter?: AdapterChoice;
  /** Fills every buffer handed out with NaN bits first, so that a kernel that skips an element is caught. For tests. */
  readonly poison?: boolean;
  /** Pretends that the adapter's largest storage binding is this small. For tests of splitting. */
  readonly maxBindingBytes?: number;
  /**
   * Bytes of the device's memory, where the adapter does not tell them; see `Device.freeBytes`. Default in Node:
   * `LETHE_MEMORY_BYTES` in the environment.
   */
  readonly memoryBytes?: number;
  /**
   * What was measured to be fastest on this adapter: the content of a file that `npm run bench -- --tune FILE` wrote. Values are the same
   * up to rounding, but not the same bits as without it. Default: plans choose by themselves.
   */
  readonly tuning?: Tuning;
}
