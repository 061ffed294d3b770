/** All that needs a file system. The rest of the package is in `../index.ts` and runs in a browser. */

export type { TensorData } from "../safetensors/pieces.ts";
export { directoryFolder, openCheckpoint } from "./directory.ts";
export { fileSource, findFileSource, readTextFile } from "./file-source.ts";
export { isRunning, removeAbandonedFiles } from "./temporary.ts";
export { writeSafetensors } from "./write-safetensors.ts";
export { syncFolder, writeWhole } from "./write-whole.ts";
