import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openCheckpoint, writeSafetensors } from "../../src/node/index.ts";
import { bytesSource, encodeSafetensors, openSafetensors, type TensorToWrite } from "../../src/safetensors/index.ts";
import { expectKind, golden } from "./build.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-write-"));
  path = join(directory, "model.safetensors");
});
afterEach(() => rm(directory, { recursive: true }));

const tensor = (fields: object): TensorToWrite =>
  ({ name: "t", dtype: "U8", shape: [2], data: new Uint8Array(2), ...fields }) as TensorToWrite;

async function mixedTensors(): Promise<TensorToWrite[]> {
  const checkpoint = await openSafetensors(bytesSource(golden("mixed.safetensors")));
  const tensors = checkpoint
    .names()
    .map(async (name) => ({ name, ...checkpoint.info(name), data: await checkpoint.read(name) }));
  return Promise.all(tensors);
}

describe("the writer", () => {
  it("writes the same bytes as Python, from tensors in any order", async () => {
    const tensors = (await mixedTensors()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(encodeSafetensors(tensors, { format: "pt" })).toEqual(golden("mixed.safetensors"));
    await writeSafetensors(path, tensors, { format: "pt" });
    expect(new Uint8Array(await readFile(path))).toEqual(golden("mixed.safetensors"));
    expect(await readdir(directory)).toEqual(["model.safetensors"]);
  });

  it("sorts names by code point and metadata by key", async () => {
    const file = encodeSafetensors([tensor({ name: "𝕏" }), tensor({ name: "\uffee" })], { b: "2", a: "1" });
    const header = new TextDecoder().decode(file.subarray(8, -4));
    expect(header).toMatch(/^\{"__metadata__":\{"a":"1","b":"2"\},"\uffee":.*"𝕏":.*\} *$/u);
    expect((file.length - 4) % 8).toBe(0);
  });

  it("writes tensors that are read in pieces while they are written", async () => {
    const mixed = await openSafetensors(bytesSource(golden("mixed.safetensors")));
    const tensors = mixed.names().map((name) => ({
      name,
      ...mixed.info(name),
      data: async function* () {
        for await (const { bytes } of mixed.readChunks(name, 8)) yield bytes;
      },
    }));
    await writeSafetensors(path, tensors, { format: "pt" });
    expect(new Uint8Array(await readFile(path))).toEqual(golden("mixed.safetensors"));
    await (await openCheckpoint(directory)).close();
  });

  it.each([
    ["duplicate-name", [tensor({}), tensor({ dtype: "I8" })]],
    ["reserved-name", [tensor({ name: "__metadata__" })]],
    ["not-utf8", [tensor({ name: "\udc00" })]],
    ["unknown-dtype", [tensor({ dtype: "F128" })]],
    ["bad-shape", [tensor({ shape: [-2] })]],
    ["bad-shape", [tensor({ shape: [0.5] })]],
    ["bad-shape", [tensor({ shape: [2 ** 40, 2 ** 40] })]],
    ["bad-shape", [tensor({ dtype: "F4", shape: [3] })]],
    ["size-mismatch", [tensor({ shape: [3] })]],
    ["size-mismatch", [tensor({ shape: [1] })]],
  ] as const)("refuses %s, in memory and on disk, and leaves no file", async (kind, tensors) => {
    await expectKind(kind, () => encodeSafetensors(tensors));
    await expectKind(kind, () => writeSafetensors(path, tensors));
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([{ a: 1 }, { a: "\ud800" }, { "\ud800": "a" }])("refuses the metadata %j", async (metadata) => {
    await expectKind("bad-metadata", () => encodeSafetensors([], metadata as Record<string, string>));
  });

  it("refuses a header that is too large for readers", async () => {
    await expectKind("header-too-large", () => encodeSafetensors([tensor({ name: "n".repeat(100_000_000) })]));
  });

  it("does not change the old file when the data fail, are too short or never end", async () => {
    await writeFile(path, "old");
    const failing = [
      tensor({}),
      {
        ...tensor({ name: "u" }),
        data: () => {
          throw new Error("lost the device");
        },
      },
    ];
    await expect(writeSafetensors(path, failing)).rejects.toThrow("lost the device");
    const endless = function* () {
      for (;;) yield new Uint8Array(1);
    };
    await expectKind("size-mismatch", () => writeSafetensors(path, [{ ...tensor({}), data: endless }]));
    await expectKind("size-mismatch", () =>
      writeSafetensors(path, [{ ...tensor({}), data: () => [new Uint8Array(1)] }]),
    );
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(directory)).toEqual(["model.safetensors"]);
  });
});
