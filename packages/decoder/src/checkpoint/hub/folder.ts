import { type Folder, httpSource } from "@lethe/tensor";
import { ModelError } from "../../errors.ts";
import { hubName } from "./name.ts";
import { findRepository, type HubAccess, type HubRepository } from "./repository.ts";

/** How a model's files are read from the Hub. */
export interface HubOptions extends HubAccess {
  /** Whether a browser keeps what is read in its storage; see `httpSource` of `@lethe/tensor`. */
  readonly keep?: boolean | undefined;
}

/**
 * The files of a model on the Hugging Face Hub, which are read from there by ranges: what a browser loads a model from. All of them are
 * of one commit. In Node, a name alone as a model's place downloads it into the cache instead.
 * @param name `org/name`, or `org/name@revision` with a branch, a tag or a commit
 * @throws {ModelError} when the Hub cannot be reached or has no such model; the message says what to do
 */
export async function hubFolder(name: string, options: HubOptions = {}): Promise<Folder> {
  const parsed = hubName(name);
  if (!parsed) throw new ModelError(`${name}: expected org/name or org/name@revision, a model on the Hugging Face Hub`);
  return repositoryFolder(await findRepository(parsed, options), options.keep);
}

/** The files of a repository at its commit. */
export function repositoryFolder({ repository, commit, files, headers }: HubRepository, keep = false): Folder {
  return {
    name: `${repository}@${commit}`,
    async open(file, signal) {
      const found = files.get(file);
      return found && httpSource(found.url, { headers, keep, signal, version: found.blob });
    },
    list: async () => [...files.keys()],
  };
}
