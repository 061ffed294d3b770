import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PretrainedStore } from "../subjects/pretrained.ts";

/** Keeps models that are trained from scratch in a folder, which is made with the first of them. Default: beside the default folders of results. */
export function pretrainedIn(folder = "out/pretrained"): PretrainedStore {
  return {
    async find(key) {
      const directory = join(folder, key);
      return existsSync(join(directory, "config.json")) ? directory : undefined;
    },
    async save(key, model, tokenizer) {
      const directory = join(folder, key);
      await model.save(directory, { tokenizer });
      return directory;
    },
  };
}
