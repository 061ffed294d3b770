import { type Folder, filesFolder } from "@lethe/tensor";
import type { PretrainedStore } from "../subjects/pretrained.ts";
import { modelBlobs } from "./model-blobs.ts";

/** Keeps models that are trained from scratch for as long as the page is open. */
export function pretrainedIn(name = "pretrained"): PretrainedStore {
  const kept = new Map<string, Folder>();
  return {
    find: async (key) => kept.get(key),
    async save(key, model, tokenizer) {
      const folder = filesFolder(await modelBlobs(model, tokenizer), `${name}/${key}`);
      kept.set(key, folder);
      return folder;
    },
  };
}
