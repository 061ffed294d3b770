export type { LoadOptions } from "@lethe/decoder";
export {
  type Olmo2Config,
  type Olmo2ConfigInput,
  type OlmoConfig,
  type OlmoConfigInput,
  olmo2Config,
  olmoConfig,
} from "./config.ts";
export { initOlmo, loadOlmo, type Olmo, olmo } from "./olmo.ts";
export { initOlmo2, loadOlmo2, type Olmo2, olmo2 } from "./olmo2.ts";
