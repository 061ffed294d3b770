export type { LoadOptions } from "@lethe/decoder";
export {
  type Olmo2Config,
  type Olmo2ConfigInput,
  type OlmoConfig,
  type OlmoConfigInput,
  olmo2Config,
  olmoConfig,
} from "./config.ts";
export { initOlmo, initOlmo2, loadOlmo, loadOlmo2, olmo, olmo2 } from "./family.ts";
export { Olmo, olmoShapes } from "./olmo.ts";
export { Olmo2, olmo2Shapes } from "./olmo2.ts";
