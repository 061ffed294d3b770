import { type Checkpoint, openSafetensors } from "./checkpoint.ts";
import { SafetensorsError } from "./error.ts";
import { findHttpSource, type RequestHeaders } from "./http.ts";
import { openSharded } from "./sharded.ts";
import { blobSource, type Folder } from "./source.ts";

/** The names that Hugging Face gives a checkpoint's file or, where it is split, its index. */
const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/**
 * The files below a URL, such as `https://huggingface.co/ORG/MODEL/resolve/main`.
 *
 * @param headers sent with every request, such as an `Authorization`.
 */
export function httpFolder(url: string | URL, headers: RequestHeaders = {}): Folder {
  const base = String(url).replace(/\/*$/, "/");
  return { name: base, open: (file) => findHttpSource(new URL(encodeURIComponent(file), base), headers) };
}

/** The files that a person picked or dropped in a browser. */
export function filesFolder(files: Iterable<File>, name = "the picked files"): Folder {
  const byName = new Map([...files].map((file) => [file.name, file]));
  return {
    name,
    async open(file) {
      const found = byName.get(file);
      return found && blobSource(found);
    },
    list: async () => [...byName.keys()],
  };
}

/**
 * Opens the checkpoint in a folder: one file, or shards. Where the folder has both, the one file is opened, as in Hugging Face's own
 * loader.
 *
 * @throws SafetensorsError of kind `not-found` where there is neither, or of another kind where the checkpoint is damaged.
 */
export async function openCheckpointIn(folder: Folder): Promise<Checkpoint> {
  const single = await folder.open(SINGLE_FILE);
  if (single !== undefined) return openSafetensors(single);
  const index = await folder.open(INDEX_FILE);
  if (index === undefined) {
    const problem = "there is no checkpoint in it";
    throw new SafetensorsError("not-found", folder.name, problem, `${SINGLE_FILE} or ${INDEX_FILE}`);
  }
  return openSharded(index, folder);
}
