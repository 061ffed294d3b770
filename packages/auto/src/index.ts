export type { LoadOptions } from "@lethe/decoder";
export { modelTypes } from "./families.ts";
export { initModel, loadModel, supportedFamily } from "./models.ts";
