import { Checkpoint, type Shard } from "./checkpoint.ts";
import { quote, SafetensorsError } from "./error.ts";
import { MAX_HEADER_BYTES, readHeader } from "./header.ts";
import { JsonReader } from "./json.ts";
import type { ByteSource, Folder } from "./source.ts";

/**
 * Opens a checkpoint of several files by its `model.safetensors.index.json`: `{ "weight_map": { tensor: file } }`. All headers are
 * read, and must hold exactly the tensors of the map. The index's `metadata.total_size` is not compared: in published checkpoints
 * it counts shared tensors twice or not at all.
 *
 * @throws SafetensorsError of kind `bad-index`, `missing-shard`, `missing-tensor` or `unlisted-tensor`, or of a shard's header.
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
      const more = absent.length > 3 ? ` and ${absent.length - 3} more` : "";
      const problem = `it names ${files.length} shards, and ${folder.name} lacks ${absent.slice(0, 3).join(", ")}${more}`;
      const expected = "every shard beside the index; fetch what is missing";
      throw new SafetensorsError("missing-shard", index.name, problem, expected);
    }
    checkWeightMap(weightMap, shards, index.name);
    return new Checkpoint(folder.name, [...shards.values()]);
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
  const file = index.name;
  const fail = (problem: string, expected: string): never => {
    throw new SafetensorsError("bad-index", file, problem, expected);
  };
  if (index.size > MAX_HEADER_BYTES) fail(`it has ${index.size} bytes`, `an index of at most ${MAX_HEADER_BYTES}`);
  const map = new Map<string, string>();
  const reader = new JsonReader(await index.read(0, index.size), file, "the index");
  const readPair = (tensor: string): void => {
    const bad = (shard: string): never =>
      fail(`its weight_map puts ${quote(tensor)} in ${shard}`, "the plain name of a file beside the index");
    const shard = reader.string(bad);
    // A path could leave the checkpoint's directory.
    if (!/^[^/\\]+$/.test(shard) || shard === "." || shard === "..") bad(quote(shard));
    map.set(tensor, shard);
  };
  reader.object((name) => {
    if (name !== "weight_map") reader.skip();
    else reader.object(readPair, (found) => fail(`its weight_map is ${found}`, "an object from tensors to file names"));
  });
  reader.end();
  if (map.size === 0) fail("its weight_map is absent or empty", "an object from tensors to file names");
  return map;
}

function checkWeightMap(map: ReadonlyMap<string, string>, shards: ReadonlyMap<string, Shard>, index: string): void {
  for (const [tensor, file] of map) {
    if (shards.get(file)!.header.tensors.has(tensor)) continue;
    const problem = `the index puts it in ${quote(file)}, which does not hold it`;
    throw new SafetensorsError("missing-tensor", { file: index, tensor }, problem, "index and shards of one save");
  }
  for (const [file, { header }] of shards) {
    for (const tensor of header.tensors.keys()) {
      if (map.get(tensor) === file) continue;
      const listed = map.has(tensor) ? `puts it in ${quote(map.get(tensor))}` : "does not list it";
      const problem = `the shard ${quote(file)} holds it, and the index ${listed}`;
      throw new SafetensorsError("unlisted-tensor", { file: index, tensor }, problem, "index and shards of one save");
    }
  }
}
