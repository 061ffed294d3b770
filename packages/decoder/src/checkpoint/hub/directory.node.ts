import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { listed } from "@lethe/tensor";
import { readTextFile } from "@lethe/tensor/node";
import { ModelError } from "../errors.ts";
import { cachedModelName } from "./hub.ts";
import { finishReplacing } from "./saving/replace-directory.node.ts";

/** `org/name`, or `org/name@revision`, where the revision is a branch, a tag or a commit. */
const named = /^(?<org>\w[\w.-]*)\/(?<name>\w[\w.-]*)(?:@(?<revision>\w[\w./-]*))?$/;

/**
 * The directory of a model's files. A place is the path of that directory, the path of a repository in a Hugging Face cache
 * (`models--org--name`), or `org/name` or `org/name@revision`, which is looked up in the cache of `huggingface_hub`. Where a
 * directory has that path, it is taken. Nothing is downloaded.
 * @throws {ModelError} when there is no such model; the message says where Lethe looked, and how to get the model
 */
export async function modelDirectory(place: string): Promise<string> {
  const found = await stat(place).catch(() => undefined);
  const directoryExpected = "expected a model's directory, with config.json and *.safetensors";
  if (found && !found.isDirectory()) throw new ModelError(`${place} is a file; ${directoryExpected}`);
  if (found) return basename(place).startsWith("models--") ? snapshot(place, place) : place;
  if (await finishReplacing(place)) return place;
  const { org, name, revision } = named.exec(place)?.groups ?? {};
  if (!org || revision?.includes("..")) throw new ModelError(`${place} is not there; ${directoryExpected}`);
  const cache = hubCache();
  const repository = join(cache, `models--${org}--${name}`);
  if ((await stat(repository).catch(() => undefined))?.isDirectory()) return snapshot(repository, place, revision);
  throw new ModelError(
    `${place} is not there: no directory of that path, and no such model in the Hugging Face cache ${cache}. ` +
      `${download(`${org}/${name}`, revision)}, or give a model's directory.`,
  );
}

/** Where `huggingface_hub` keeps its downloads, by the same environment variables. */
function hubCache(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || join(XDG_CACHE_HOME || "~/.cache", "huggingface");
  const cache = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub");
  return cache
    .replace(/^~(?=[/\\]|$)/, () => homedir())
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare, braced) => process.env[bare ?? braced] ?? whole);
}

/** A repository's files at one revision: a name in `refs/` or a commit. Default: `main`, or the only commit where there is no `main`. */
async function snapshot(repository: string, place: string, revision?: string): Promise<string> {
  const snapshots = join(repository, "snapshots");
  const commits = await readdir(snapshots).catch(() => [] as string[]);
  const commit = await readTextFile(join(repository, "refs", revision ?? "main")).catch(() => undefined);
  const wanted = commit?.trim() ?? revision ?? (commits.length === 1 ? commits[0]! : "main");
  if (commits.includes(wanted)) return join(snapshots, wanted);
  const name = cachedModelName(repository)!;
  const others =
    commits.length > 0 ? `, or give one that is there: ${listed(commits.map((c) => `${name}@${c}`)).join(", ")}` : "";
  throw new ModelError(
    `${place}: revision ${revision ?? "main"} is not in ${repository}. ${download(name, revision)}${others}`,
  );
}

function download(name: string, revision: string | undefined): string {
  return `Lethe downloads nothing: run \`hf download ${name}${revision ? ` --revision ${revision}` : ""}\``;
}
