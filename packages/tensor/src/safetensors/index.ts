/** Checkpoints in the safetensors format, in Node and in browsers. Files on disk are in `../node/index.ts`. */
export { type Checkpoint, openSafetensors, type TensorInfo } from "./checkpoint.ts";
export { fromFloat32, toFloat32 } from "./convert.ts";
export type { SafetensorsDtype } from "./dtype.ts";
export { encodeSafetensors, type TensorToWrite } from "./encode.ts";
export { SafetensorsError, type SafetensorsErrorKind } from "./error.ts";
export { filesFolder, httpFolder, openCheckpointIn } from "./folder.ts";
export { forgetKept } from "./http/kept.ts";
export { type HttpOptions, type HttpSourceOptions, httpSource } from "./http/source.ts";
export { safetensorsPieces, type TensorData } from "./pieces.ts";
export { readPieces } from "./read-ahead.ts";
export { type ByteSource, blobSource, bytesSource, type Folder, readWhole, readWholeText } from "./source.ts";
