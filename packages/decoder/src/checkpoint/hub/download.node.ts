import { createHash } from "node:crypto";
import { link, mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type Folder, httpSource, readPieces } from "@lethe/tensor";
import { removeAbandonedFiles, writeWhole } from "@lethe/tensor/node";
import { ModelError } from "../../errors.ts";
import { readJson, tokenizerFiles } from "../files.ts";
import { notAModel } from "../mistakes.ts";
import type { Watch } from "../progress.ts";
import { repositoryFolder } from "./folder.ts";
import type { HubName } from "./name.ts";
import { findRepository, type HubAccess, type HubFile, type HubRepository } from "./repository.ts";

const single = "model.safetensors";
const index = "model.safetensors.index.json";

/**
 * Downloads a model into its folder of a Hugging Face cache, as `huggingface_hub` lays it out: contents in `blobs/` by their hash, a link
 * to each in `snapshots/COMMIT/`, and the commit of a branch or a tag in `refs/`. What is there already is not fetched again. What is
 * fetched is checked against its hash. Links are made after the last byte, so a new snapshot is whole from the first moment. Two
 * processes may fetch the same model at once.
 * @param folder `…/models--org--name`
 * @returns the path of the snapshot
 * @throws {HubError} when the Hub cannot be reached or refuses
 * @throws {ModelError} when the repository holds no model that Lethe reads, or a file is not what the Hub says that it is
 */
export async function downloadModel(folder: string, name: HubName, options: HubAccess & Watch): Promise<string> {
  const found = await findRepository(name, options);
  const files = await filesOfModel(found);
  await fetchBlobs(join(folder, "blobs"), [...files.values()], found, options);
  const snapshot = join(folder, "snapshots", found.commit);
  await mkdir(snapshot, { recursive: true });
  for (const [file, { blob }] of files) await linkBlob(folder, blob, join(snapshot, file));
  const { revision = "main" } = name;
  if (revision !== found.commit) await writeWhole(join(folder, "refs", revision), found.commit);
  return snapshot;
}

/** What a model is loaded from. The configuration comes last: where it is, the rest is, too. */
async function filesOfModel(found: HubRepository): Promise<Map<string, HubFile>> {
  const remote = repositoryFolder(found);
  if (!found.files.has("config.json")) throw await notAModel(remote, "config.json");
  const weights = found.files.has(single) ? [single] : await shards(remote);
  if (weights.length === 0) throw await notAModel(remote, "weights");
  const names = [...tokenizerFiles, "generation_config.json", ...weights, "config.json"];
  return new Map(names.flatMap((name) => (found.files.has(name) ? [[name, found.files.get(name)!]] : [])));
}

/** An index and the shards that it names. A name with a path in it, or of another kind of file, is nothing that Lethe fetches. */
async function shards(remote: Folder): Promise<string[]> {
  const map = (await readJson(remote, index))?.weight_map ?? {};
  const names = new Set(Object.values(map).filter((shard) => /^[^/\\]+\.safetensors$/.test(String(shard))));
  return names.size === 0 ? [] : [index, ...Array.from(names, String)];
}

async function fetchBlobs(
  blobs: string,
  files: readonly HubFile[],
  { headers }: HubRepository,
  { signal, onProgress }: Watch,
): Promise<void> {
  await removeAbandonedFiles(blobs);
  const missing = new Map<string, HubFile>();
  for (const file of files) {
    const there = await stat(join(blobs, file.blob)).catch(() => undefined);
    if (there?.size !== file.size) missing.set(file.blob, file);
  }
  const totalBytes = [...missing.values()].reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  const count = (bytes: number) => {
    doneBytes += bytes;
    onProgress?.({ stage: "download", doneBytes, totalBytes });
  };
  for (const file of missing.values()) {
    const source = await httpSource(file.url, { headers, signal, version: file.blob });
    await writeWhole(join(blobs, file.blob), checked(file, readPieces(source), count));
  }
}

/** Passes a file's content on, and checks it. @throws {ModelError} when its size or its hash is not the one that the Hub says */
async function* checked(
  { url, size, blob }: HubFile,
  pieces: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Git hashes a file with its size in front of it.
  const hash = blob.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
    count(piece.length);
  }
  if (hash.digest("hex") !== blob)
    throw new ModelError(`${url}: what was fetched is not the file that the Hub lists, by its hash. Try again.`);
}

async function linkBlob(folder: string, blob: string, path: string): Promise<void> {
  try {
    await symlink(join("..", "..", "blobs", blob), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    // Windows lets few users make a symbolic link. A second name of the file does as well.
    await link(join(folder, "blobs", blob), path);
  }
}
