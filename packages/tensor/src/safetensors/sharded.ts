import { listed, quote } from "../excerpt.ts";
import { parseJson } from "../parse-json.ts";
import { Checkpoint, type Shard } from "./checkpoint.ts";
import { SafetensorsError } from "./error.ts";
import { readHeader } from "./header.ts";
import { type ByteSource, type Folder, readWholeText } from "./source.ts";

/** Five times as many as any published checkpoint has. All are open at once. */
const MAX_SHARDS = 1000;

/**
 * Opens a checkpoint of several files by its `model.safetensors.index.json`: `{ "weight_map": { tensor: file } }`. All headers are
 * read, and must hold the tensors of the map. A tensor that only a shard names is taken as well, with a warning, as `transformers` does.
 * The index's `metadata.total_size` is not compared: in published checkpoints
 * it counts shared tensors twice or not at all.
 *
 * @param index it is closed
 * @throws SafetensorsError of kind `bad-index`, `missing-shard`, `missing-tensor` or `duplicate-name`, or of a shard's header.
 */
export async function openSharded(index: ByteSource, folder: Folder): Promise<Checkpoint> {
  const weightMap = await readWeightMap(index);
  const files = [...new Set(weightMap.values())].sort();
  const opened = await Promise.allSettled(files.map((file) => openShard(file, folder)));
  const shards = new Map<string, Shard>();
  for (const [i, result] of opened.entries()) {
    if (result.status === "fulfilled" && result.value) shards.set(files[i]!, result.value);
  }
  try {
    const failure = opened.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    const absent = files.filter((file) => !shards.has(file)).map(quote);
    if (absent.length > 0) {
      const problem = `it names ${files.length} shards, and ${folder.name} lacks ${listed(absent, 3).join(", ")}`;
      const expected = "every shard beside the index; fetch what is missing";
      throw new SafetensorsError("missing-shard", index.name, problem, expected);
    }
    checkWeightMap(weightMap, shards, index.name);
    return new Checkpoint(folder.name, [...shards.values()], unlisted(weightMap, shards, index.name));
  } catch (error) {
    await Promise.all([...shards.values()].map(({ source }) => source.close?.()));
    throw error;
  }
}

/** `undefined` where there is no such file. */
async function openShard(file: string, folder: Folder): Promise<Shard | undefined> {
  const source = await folder.open(file);
  if (source === undefined) return undefined;
  try {
    return { source, header: await readHeader(source) };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

async function readWeightMap(index: ByteSource): Promise<Map<string, string>> {
  const text = await readWholeText(index);
  const fail = (problem: string, expected: string, cause?: unknown): never => {
    throw new SafetensorsError("bad-index", index.name, problem, expected, cause);
  };
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    return fail(`it is not JSON (${(cause as Error).message})`, "an object with a weight_map", cause);
  }
  const found = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof found !== "object" || found === null || Array.isArray(found))
    return fail(`its weight_map is ${quote(found)}`, "an object from tensors to file names");
  const map = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(found)) {
    // A path could leave the checkpoint's directory.
    if (typeof shard !== "string" || !/^[^/\\]+$/.test(shard) || shard === "." || shard === "..")
      return fail(
        `its weight_map puts ${quote(tensor)} in ${quote(shard)}`,
        "the plain name of a file beside the index",
      );
    map.set(tensor, shard);
  }
  if (map.size === 0) fail("its weight_map is empty", "an object from tensors to file names");
  const shards = new Set(map.values()).size;
  if (shards > MAX_SHARDS) fail(`its weight_map names ${shards} shards`, `at most ${MAX_SHARDS}`);
  return map;
}

function checkWeightMap(map: ReadonlyMap<string, string>, shards: ReadonlyMap<string, Shard>, index: string): void {
  for (const [tensor, file] of map) {
    if (shards.get(file)!.header.tensors.has(tensor)) continue;
    const problem = `the index puts it in ${quote(file)}, which does not hold it`;
    throw new SafetensorsError("missing-tensor", { file: index, tensor }, problem, "index and shards of one save");
  }
}

/** A line for each shard that holds tensors of which the index says nothing. */
function unlisted(map: ReadonlyMap<string, string>, shards: ReadonlyMap<string, Shard>, index: string): string[] {
  return [...shards].flatMap(([file, { header }]) => {
    const names = [...header.tensors.keys()].filter((tensor) => !map.has(tensor)).map(quote);
    const some = listed(names, 3).join(", ");
    return names.length === 0
      ? []
      : `${index}: the shard ${quote(file)} holds tensors that the index does not list: ${some}`;
  });
}
