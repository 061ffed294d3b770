/** What of safetensors needs a file system; all else is in `../index.ts` and runs in a browser. */
export { directoryFolder, openCheckpoint } from "./checkpoint.ts";
export { fileSource } from "./source.ts";
export { type TensorData, writeSafetensors } from "./write.ts";
