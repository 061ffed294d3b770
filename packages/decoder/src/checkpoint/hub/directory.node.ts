import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Folder, listed, openCheckpointIn } from "@lethe/tensor";
import { directoryFolder, readTextFile } from "@lethe/tensor/node";
import { ModelError } from "../../errors.ts";
import { hasFile } from "../files.ts";
import type { Watch } from "../progress.ts";
import { finishReplacing } from "../saving/replace-directory.node.ts";
import { downloadModel } from "./download.node.ts";
import { hubCache, hubEndpoint, hubIsOffline, hubToken } from "./environment.node.ts";
import { hubFolder } from "./folder.ts";
import { cachedModelName, type HubName, hubName } from "./name.ts";
import { HubError } from "./repository.ts";

/**
 * The directory of a model's files. A place is the path of that directory, the path of a repository in a Hugging Face cache
 * (`models--org--name`), or `org/name` or `org/name@revision`. Where a directory has that path, it is taken. Otherwise the model is
 * looked up in the cache of `huggingface_hub`. What is whole there is taken as it is; else the Hugging Face Hub is asked, and the
 * model is downloaded into the cache, unless `HF_HUB_OFFLINE` is set.
 * @throws {ModelError} when there is no such model; the message says where Lethe looked, and how to get the model
 */
export async function modelDirectory(place: string, watch: Watch = {}): Promise<string> {
  const here = await directoryHere(place);
  return typeof here === "string" ? here : modelInCache(here, watch);
}

/**
 * The files of a place, as {@link modelDirectory} finds them, but that those of a model that is neither here nor in the cache are read from the
 * Hub by ranges, and nothing is downloaded: for who needs few of them.
 * @throws {ModelError} as {@link modelDirectory} does
 */
export async function folderWithoutDownload(place: string): Promise<Folder> {
  const here = await directoryHere(place);
  if (typeof here === "string") return directoryFolder(here);
  const cached = await cachedSnapshot(cacheOf(here), here.revision);
  if (cached !== undefined && (await isWhole(cached))) return directoryFolder(cached);
  if (hubIsOffline()) return directoryFolder(await modelInCache(here, {}));
  return hubFolder(place, { token: await hubToken(), endpoint: hubEndpoint() });
}

/** A place that is a directory, or the name of a model that is none. */
async function directoryHere(place: string): Promise<string | HubName> {
  const found = await stat(place).catch(() => undefined);
  const directoryExpected = "expected a model's directory, with config.json and *.safetensors";
  if (found && !found.isDirectory()) throw new ModelError(`${place} is a file; ${directoryExpected}`);
  if (found) return basename(place).startsWith("models--") ? snapshotOf(place) : place;
  if (await finishReplacing(place)) return place;
  const name = hubName(place);
  if (!name) throw new ModelError(`${place} is not there; ${directoryExpected}`);
  return name;
}

/** The folder of a repository in the cache. */
function cacheOf({ repository }: HubName): string {
  return join(hubCache(), `models--${repository.replace("/", "--")}`);
}

/** A model in the cache, where it is put if need be. */
async function modelInCache(name: HubName, watch: Watch): Promise<string> {
  const folder = cacheOf(name);
  const cached = await cachedSnapshot(folder, name.revision);
  if (cached !== undefined && (hubIsOffline() || (await isWhole(cached)))) return cached;
  if (hubIsOffline()) throw await notCached(folder, name, "HF_HUB_OFFLINE is set, so nothing is downloaded");
  const access = { token: await hubToken(), endpoint: hubEndpoint() };
  return downloadModel(folder, name, { ...access, ...watch }).catch(async (error) => {
    if (!(error instanceof HubError)) throw error;
    // A part, such as a tokenizer, is of use where the rest is not needed.
    if (cached !== undefined) return cached;
    throw await notCached(folder, name, error.message, error);
  });
}

/** The only snapshot of a repository's path, or that of its `main`. @throws {ModelError} when there is none */
async function snapshotOf(folder: string): Promise<string> {
  const snapshot = await cachedSnapshot(folder);
  if (snapshot !== undefined) return snapshot;
  const repository = cachedModelName(folder)!;
  throw await notCached(folder, { repository }, `a path is only looked up, and the name ${repository} is downloaded`);
}

/** A repository's files at one revision: a name in `refs/` or a commit. Default: `main`, or the only commit where there is no `main`. */
async function cachedSnapshot(folder: string, revision?: string): Promise<string | undefined> {
  const snapshots = join(folder, "snapshots");
  const commits = await readdir(snapshots).catch(() => [] as string[]);
  const commit = await readTextFile(join(folder, "refs", revision ?? "main")).catch(() => undefined);
  const wanted = commit?.trim() ?? revision ?? (commits.length === 1 ? commits[0]! : "main");
  return commits.includes(wanted) ? join(snapshots, wanted) : undefined;
}

/** Whether a snapshot holds a model's configuration and all its weights. Others put parts of a model into the cache. */
async function isWhole(snapshot: string): Promise<boolean> {
  const folder = directoryFolder(snapshot);
  if (!(await hasFile(folder, "config.json"))) return false;
  const checkpoint = await openCheckpointIn(folder).catch(() => undefined);
  await checkpoint?.close();
  return checkpoint !== undefined;
}

async function notCached(
  folder: string,
  { repository, revision }: HubName,
  why: string,
  cause?: unknown,
): Promise<ModelError> {
  const commits = await readdir(join(folder, "snapshots")).catch(() => undefined);
  const model = revision === undefined ? repository : `${repository}@${revision}`;
  const missing = commits
    ? `${model}: revision ${revision ?? "main"} is not in ${folder}`
    : `${model} is not there: no directory of that path, and no such model in the Hugging Face cache ${hubCache()}`;
  const others = listed((commits ?? []).map((commit) => `${repository}@${commit}`)).join(", ");
  const instead = others ? `one that is there: ${others}` : "a model's directory";
  return new ModelError(`${missing}; ${why}. Give ${instead}.`, { cause });
}
