export type { LoadOptions } from "@lethe/decoder";
export { modelTypes } from "./families.ts";
export { initModel, loadModel, streamModel, supportedFamily } from "./models.ts";
