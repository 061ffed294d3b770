import { type Checkpoint, openSafetensors } from "./checkpoint.ts";
import { SafetensorsError } from "./error.ts";
import { findHttpSource, type HttpOptions } from "./http/source.ts";
import { openSharded } from "./sharded.ts";
import { blobSource, type Folder } from "./source.ts";

/** The names that Hugging Face gives a checkpoint's file or, where it is split, its index. */
const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/** The files below a URL, such as `https://huggingface.co/ORG/MODEL/resolve/main`. What they are read with, `httpSource` says. */
export function httpFolder(url: string | URL, options: HttpOptions = {}): Folder {
  const base = String(url).replace(/\/*$/, "/");
  const absent = new Map<string, string>();
  return {
    name: base,
    async open(file, signal) {
      const found = await findHttpSource(new URL(encodeURIComponent(file), base), { ...options, signal });
      if ("source" in found) return found.source;
      absent.set(file, found.absent);
      return undefined;
    },
    whyAbsent: (file) => absent.get(file),
  };
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
