import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCheckpoint } from "../../src/node/index.ts";
import {
  type ByteSource,
  bytesSource,
  encodeSafetensors,
  filesFolder,
  openCheckpointIn,
  openSafetensors,
  type SafetensorsErrorKind,
  toFloat32,
} from "../../src/safetensors/index.ts";
import { expectKind, golden, goldenPath } from "./build.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-checkpoint-"));
});
afterEach(() => rm(directory, { recursive: true }));

const INDEX = "model.safetensors.index.json";
const u8 = (name: string, ...data: number[]) =>
  ({ name, dtype: "U8", shape: [data.length], data: Uint8Array.from(data) }) as const;

describe("a file written by Python", () => {
  it("has its names, dtypes, shapes and values", async () => {
    const checkpoint = await openSafetensors(bytesSource(golden("mixed.safetensors"), "mixed"));
    expect(checkpoint.names()).toHaveLength(20);
    expect(checkpoint.info("u8")).toEqual({ dtype: "U8", shape: [7], bytes: 7, shard: "mixed" });
    expect(checkpoint.info("scalar").shape).toEqual([]);
    expect(toFloat32(await checkpoint.read("scalar"), "F32")).toEqual(Float32Array.of(2.5));
    expect((await checkpoint.read("empty")).length).toBe(0);
    expect([...checkpoint.metadata()]).toEqual([["mixed", new Map([["format", "pt"]])]]);
    const f32 = toFloat32(await checkpoint.read("f32"), "F32");
    const bf16 = toFloat32(await checkpoint.read("bf16"), "BF16");
    for (const [i, x] of f32.entries()) expect(Math.abs(bf16[i]! - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8);
  });

  it("has tensors of every dtype as bytes", async () => {
    const checkpoint = await openSafetensors(bytesSource(golden("mixed.safetensors"), "mixed"));
    for (const name of ["f32", "f16", "bf16", "i64", "i32", "u32", "u8", "bool", "f64", "i8"]) {
      expect(checkpoint.info(name).dtype).toBe(name.toUpperCase());
      expect((await checkpoint.read(name)).length).toBe(checkpoint.info(name).bytes);
    }
  });

  it("lists its tensors when asked for one that it does not have", async () => {
    const checkpoint = await openSafetensors(bytesSource(golden("mixed.safetensors"), "mixed"));
    const { tensor, message } = await expectKind("no-such-tensor", () => checkpoint.read("lm_head.weight"));
    expect(tensor).toBe("lm_head.weight");
    expect(message).toContain("20 tensors");
    await expectKind("no-such-tensor", () => checkpoint.readChunks("lm_head.weight", 8).next());
  });
});

describe("readChunks", () => {
  const data = Uint8Array.from({ length: 100 }, (_, i) => i);
  const file = encodeSafetensors([{ name: "t", dtype: "U8", shape: [100], data }, u8("empty")]);

  it.each([8, 48, 96, 104])("of %i bytes gives all bytes in order", async (chunkBytes) => {
    const checkpoint = await openSafetensors(bytesSource(file));
    const together = new Uint8Array(100);
    let end = 0;
    for await (const { offset, bytes } of checkpoint.readChunks("t", chunkBytes)) {
      expect(offset).toBe(end);
      expect(bytes.length).toBe(Math.min(chunkBytes, 100 - offset));
      together.set(bytes, offset);
      end = offset + bytes.length;
    }
    expect(together).toEqual(data);
    expect((await checkpoint.readChunks("empty", chunkBytes).next()).done).toBe(true);
  });

  it("of a range gives its bytes, with offsets from its beginning", async () => {
    const checkpoint = await openSafetensors(bytesSource(file));
    const pieces = [];
    for await (const piece of checkpoint.readChunks("t", 16, { begin: 10, end: 30 })) pieces.push(piece);
    expect(pieces).toEqual([
      { offset: 0, bytes: data.slice(10, 26) },
      { offset: 16, bytes: data.slice(26, 30) },
    ]);
    expect((await checkpoint.readChunks("t", 16, { begin: 30, end: 30 }).next()).done).toBe(true);
    for (const [begin, end] of [
      [-8, 8],
      [8, 0],
      [0, 101],
      [Number.NaN, 8],
    ] as const)
      await expect(checkpoint.readChunks("t", 16, { begin, end }).next()).rejects.toThrow(RangeError);
  });

  it("reads four pieces ahead and no further", async () => {
    const inner = bytesSource(file);
    let reads = 0;
    const counting: ByteSource = {
      ...inner,
      read(offset, length) {
        reads++;
        return inner.read(offset, length);
      },
    };
    const checkpoint = await openSafetensors(counting);
    reads = 0;
    const chunks = checkpoint.readChunks("t", 8);
    await chunks.next();
    expect(reads).toBe(5);
    await chunks.return();
    expect(reads).toBe(5);
  });

  it("fails where the source fails", async () => {
    const inner = bytesSource(file);
    const failAt = file.length - 50;
    const failing: ByteSource = {
      ...inner,
      read: (offset, length) => (offset > failAt ? Promise.reject(new Error("unplugged")) : inner.read(offset, length)),
    };
    const chunks = (await openSafetensors(failing)).readChunks("t", 48);
    expect((await chunks.next()).done).toBe(false);
    expect((await chunks.next()).done).toBe(false);
    await expect(chunks.next()).rejects.toThrow("unplugged");
  });

  it.each([0, -8, 12, 1.5, Number.NaN])("refuses pieces of %d bytes", async (chunkBytes) => {
    const checkpoint = await openSafetensors(bytesSource(file));
    await expect(checkpoint.readChunks("t", chunkBytes).next()).rejects.toThrow(RangeError);
  });
});

it("a tensor larger than an array can be is pointed to readChunks", async () => {
  const header = { t: { dtype: "U8", shape: [2 ** 40], data_offsets: [0, 2 ** 40] } };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setUint32(0, json.length, true);
  const read = async (offset: number) => (offset === 0 ? prefix : json);
  const checkpoint = await openSafetensors({ name: "huge", size: 8 + json.length + 2 ** 40, read });
  expect((await expectKind("too-large", () => checkpoint.read("t"))).message).toContain("readChunks");
});

describe("a sharded checkpoint that transformers saved", () => {
  it("is one collection with all its values", async () => {
    const checkpoint = await openCheckpoint(goldenPath("sharded"));
    const sums = JSON.parse(await readFile(goldenPath("sharded/sums.json"), "utf8")) as Record<string, number>;
    expect(checkpoint.names().toSorted()).toEqual(Object.keys(sums).toSorted());
    expect(new Set(checkpoint.names().map((name) => checkpoint.info(name).shard)).size).toBe(3);
    for (const [name, sum] of Object.entries(sums)) {
      expect(checkpoint.info(name).dtype).toBe("BF16");
      const values = toFloat32(await checkpoint.read(name), "BF16");
      expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 5);
    }
    await checkpoint.close();
    await expectKind("io", () => checkpoint.read("model.norm.weight"));
  });

  it("opens from files that a person picked", async () => {
    const names = await readdir(goldenPath("sharded"));
    const files = names.map((name) => new File([golden(`sharded/${name}`)], name));
    const checkpoint = await openCheckpointIn(filesFolder(files));
    expect((await checkpoint.read("lm_head.weight")).length).toBe(16 * 8 * 2);
  });

  const edits: [string, SafetensorsErrorKind, (index: { weight_map: Record<string, unknown> }) => unknown, string?][] =
    [
      [
        "a tensor that its shard lacks",
        "missing-tensor",
        ({ weight_map }) => Object.assign(weight_map, { extra: weight_map["lm_head.weight"] }),
        "extra",
      ],
      [
        "an absent shard",
        "missing-shard",
        ({ weight_map }) => (weight_map["lm_head.weight"] = "model-00009-of-00003.safetensors"),
      ],
      [
        "a shard outside the directory",
        "bad-index",
        ({ weight_map }) => (weight_map["lm_head.weight"] = "../secret.safetensors"),
      ],
      ["a shard that is a number", "bad-index", ({ weight_map }) => (weight_map["lm_head.weight"] = 3)],
      [
        "a thousand shards",
        "bad-index",
        ({ weight_map }) =>
          Object.assign(weight_map, Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, `${i}`]))),
      ],
      ["an empty weight_map", "bad-index", (index) => (index.weight_map = {})],
      ["a weight_map that is a list", "bad-index", (index) => (index.weight_map = [] as never)],
      ["no weight_map", "bad-index", (index) => delete (index as { weight_map?: unknown }).weight_map],
    ];
  it.each(edits)("whose index has %s is %s", async (_, kind, edit, tensor) => {
    await cp(goldenPath("sharded"), directory, { recursive: true });
    const index = JSON.parse(await readFile(join(directory, INDEX), "utf8"));
    edit(index);
    await writeFile(join(directory, INDEX), JSON.stringify(index));
    const error = await expectKind(kind, () => openCheckpoint(directory));
    expect(error.file).toBe(join(directory, INDEX));
    expect(error.tensor).toBe(tensor);
  });

  it.each([
    ["{", "bad-index"],
    ["<html>", "bad-index"],
    ["null", "bad-index"],
    ['{"weight_map":{"a":"..\\\\x"}}', "bad-index"],
  ] as const)("whose index is %s is %s", async (text, kind) => {
    await writeFile(join(directory, INDEX), text);
    await expectKind(kind, () => openCheckpoint(directory));
  });

  it("with a tensor in two shards is refused", async () => {
    await writeFile(join(directory, "1"), encodeSafetensors([u8("a", 1), u8("b", 2)]));
    await writeFile(join(directory, "2"), encodeSafetensors([u8("a", 3)]));
    await writeFile(join(directory, INDEX), JSON.stringify({ weight_map: { a: "2", b: "1" } }));
    const { message } = await expectKind("duplicate-name", () => openCheckpoint(directory));
    expect(message).toContain(`${join(directory, "1")} holds it too`);
  });

  it("holds tensors that its index does not list, with a warning, as in transformers", async () => {
    await writeFile(join(directory, "1"), encodeSafetensors(["a", "b", "c", "d", "e"].map((name) => u8(name, 1))));
    await writeFile(join(directory, "2"), encodeSafetensors([u8("f", 3)]));
    await writeFile(join(directory, INDEX), JSON.stringify({ weight_map: { a: "1", f: "2" } }));
    const checkpoint = await openCheckpoint(directory);
    expect([...(await checkpoint.read("e"))]).toEqual([1]);
    expect(checkpoint.warnings).toEqual([
      `${join(directory, INDEX)}: the shard "1" holds tensors that the index does not list: "b", "c", "d", … and 1 more`,
    ]);
    await checkpoint.close();
  });

  it("with a damaged shard names the shard", async () => {
    await cp(goldenPath("sharded"), directory, { recursive: true });
    const shard = join(directory, "model-00002-of-00003.safetensors");
    await writeFile(shard, (await readFile(shard)).subarray(0, -1));
    expect((await expectKind("truncated", () => openCheckpoint(directory))).file).toBe(shard);
  });
});

describe("a directory", () => {
  it("with both one file and an index is the one file", async () => {
    await cp(goldenPath("sharded"), directory, { recursive: true });
    await writeFile(join(directory, "model.safetensors"), encodeSafetensors([u8("only", 1)]));
    const checkpoint = await openCheckpoint(directory);
    expect(checkpoint.names()).toEqual(["only"]);
    await checkpoint.close();
  });

  it("with neither is an error that names both files", async () => {
    const { message, file } = await expectKind("not-found", () => openCheckpoint(directory));
    expect(file).toBe(directory);
    expect(message).toContain("model.safetensors or model.safetensors.index.json");
  });
});
