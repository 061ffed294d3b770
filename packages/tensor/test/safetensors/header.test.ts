import { describe, expect, it } from "vitest";
import { parseHeader, readHeader } from "../../src/safetensors/header.ts";
import { type ByteSource, bytesSource, type SafetensorsErrorKind } from "../../src/safetensors/index.ts";
import { expectKind, rawFile } from "./build.ts";

const read = (file: Uint8Array) => readHeader(bytesSource(file, "some.safetensors"));
const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

describe("a header that the format allows", () => {
  it("lists tensors in file order with absolute offsets, and metadata", async () => {
    const file = rawFile({ b: f32([1, 2], 4, 12), __metadata__: { format: "pt" }, a: f32([], 0, 4) }, 12);
    const { tensors, metadata } = await read(file);
    expect([...tensors.keys()]).toEqual(["a", "b"]);
    expect(tensors.get("b")).toEqual({ name: "b", dtype: "F32", shape: [1, 2], bytes: 8, offset: file.length - 8 });
    expect([...metadata]).toEqual([["format", "pt"]]);
    expect((await read(rawFile({ __metadata__: null }))).metadata.size).toBe(0);
  });

  it.each([
    ["no tensor", "{}", 0],
    ["trailing spaces", "{}      ", 0],
    ["an empty tensor between others", { a: f32([1], 0, 4), e: f32([0, 9], 4, 4), b: f32([1], 4, 8) }, 8],
    ["a name that JavaScript objects treat specially", `{"__proto__":${JSON.stringify(f32([1], 0, 4))}}`, 4],
    ["unknown fields", { a: { ...f32([1], 0, 4), comment: [{ deep: 1 }] } }, 4],
    ["packed 4-bit elements that fill whole bytes", { a: { dtype: "F4", shape: [3, 2], data_offsets: [0, 3] } }, 3],
    ["the same name in different objects", `{"dtype":${JSON.stringify(f32([1], 0, 4))}}`, 4],
  ])("may have %s", async (_, header, bytes) => {
    await expect(read(rawFile(header, bytes))).resolves.toBeDefined();
  });
});

describe("a malformed file", () => {
  const entry = JSON.stringify(f32([1], 0, 4));
  const deep = "[".repeat(1e6);
  const cases: [string, SafetensorsErrorKind, Uint8Array][] = [
    ["empty", "truncated", new Uint8Array(0)],
    ["shorter than the header's length", "truncated", new Uint8Array(7)],
    ["cut in the data", "truncated", rawFile({ a: f32([1], 0, 4), b: f32([2], 4, 12) }, 11)],
    ["a header of 2^64 - 1 bytes", "header-too-large", new Uint8Array(64).fill(255)],
    ["a header of 100 000 001 bytes", "header-too-large", new Uint8Array([0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0])],
    [
      "a header of 100 000 000 bytes in a small file",
      "header-beyond-file",
      new Uint8Array([0, 0xe1, 0xf5, 5, 0, 0, 0, 0]),
    ],
    ["cut in the header", "header-beyond-file", rawFile({ a: f32([1], 0, 4) }).slice(0, 40)],
    ["a header that is not UTF-8", "not-utf8", rawFile(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ["half a surrogate pair", "not-utf8", rawFile(`{"\\ud800":${entry}}`, 4)],
    ["a byte order mark", "not-object", rawFile("\ufeff{}")],
    ["an empty header", "not-object", rawFile("")],
    ["an array", "not-object", rawFile("[]")],
    ["a space before the brace", "not-object", rawFile(" {}")],
    ["a second value after the object", "not-json", rawFile("{}{}")],
    ["an unclosed string", "not-json", rawFile('{"a')],
    ["a bad escape in a name", "not-json", rawFile(`{"\\x61":${entry}}`, 4)],
    ["a million brackets", "not-json", rawFile(`{"a":${deep}`)],
    ["a name given twice", "duplicate-name", rawFile(`{"a":${entry},"a":${entry}}`, 4)],
    ["a name given twice, once escaped", "duplicate-name", rawFile(`{"a/b":${entry},"\\u0061\\/b" : ${entry}}`, 4)],
    ["an astral name, once escaped", "duplicate-name", rawFile(`{"𝕏":${entry},"\\ud835\\udd4f":${entry}}`, 4)],
    [
      "a field given twice",
      "duplicate-name",
      rawFile(`{"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
    ],
    ["two metadata", "duplicate-name", rawFile(`{"__metadata__":{},"__metadata__":{}}`)],
    ["__proto__ twice", "duplicate-name", rawFile(`{"__proto__":${entry},"__proto__":${entry}}`, 4)],
    ["metadata that are a list", "bad-metadata", rawFile({ __metadata__: ["a"] })],
    ["a number in the metadata", "bad-metadata", rawFile({ __metadata__: { step: 3 } })],
    ["an entry that is null", "bad-field", rawFile({ a: null })],
    ["an entry that is a list", "bad-field", rawFile({ a: ["F32", [1], [0, 4]] }, 4)],
    ["no dtype", "missing-field", rawFile({ a: { shape: [1], data_offsets: [0, 4] } }, 4)],
    ["no shape", "missing-field", rawFile({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4)],
    ["no data_offsets", "missing-field", rawFile({ a: { dtype: "F32", shape: [1] } }, 4)],
    [
      "a dtype inherited by objects",
      "unknown-dtype",
      rawFile({ a: { dtype: "toString", shape: [1], data_offsets: [0, 4] } }, 4),
    ],
    ["an unknown dtype", "unknown-dtype", rawFile({ a: { dtype: "f32", shape: [1], data_offsets: [0, 4] } }, 4)],
    ["a dtype that is a number", "bad-field", rawFile({ a: { dtype: 32, shape: [1], data_offsets: [0, 4] } }, 4)],
    ["a shape that is a number", "bad-shape", rawFile({ a: f32(1, 0, 4) }, 4)],
    ["a negative dimension", "bad-shape", rawFile({ a: f32([-1], 0, 4) }, 4)],
    ["a dimension of minus zero", "bad-shape", rawFile(`{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}`)],
    ["a fractional dimension", "bad-shape", rawFile({ a: f32([1.5], 0, 6) }, 6)],
    [
      "a dimension with a leading zero",
      "not-json",
      rawFile(`{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}`, 4),
    ],
    [
      "a dimension written as a float",
      "bad-shape",
      rawFile(`{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4),
    ],
    ["a dimension in a string", "bad-shape", rawFile({ a: f32(["1"], 0, 4) }, 4)],
    ["a dimension beyond the safe integers", "bad-shape", rawFile({ a: f32([2 ** 53], 0, 4) }, 4)],
    ["an infinite dimension", "bad-shape", rawFile(`{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}`, 4)],
    ["a product that overflows before a zero", "bad-shape", rawFile({ a: f32([2 ** 40, 2 ** 40, 0], 0, 0) })],
    [
      "4-bit elements that end within a byte",
      "bad-shape",
      rawFile({ a: { dtype: "F4", shape: [3], data_offsets: [0, 2] } }, 2),
    ],
    ["three offsets", "bad-field", rawFile({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4)],
    ["a negative offset", "bad-field", rawFile({ a: f32([1], -4, 0) }, 4)],
    ["a fractional offset", "bad-field", rawFile({ a: f32([1], 0.5, 4.5) }, 4)],
    ["an end before the beginning", "begin-after-end", rawFile({ a: f32([1], 4, 0) }, 4)],
    ["an end beyond the file and the shape", "out-of-range", rawFile({ a: f32([1], 0, 1e15) }, 4)],
    ["a beginning beyond the file", "out-of-range", rawFile({ a: f32([1], 100, 104) }, 4)],
    ["a shape larger than its range", "size-mismatch", rawFile({ a: f32([2], 0, 4) }, 4)],
    [
      "a dtype narrower than its range",
      "size-mismatch",
      rawFile({ a: { dtype: "F16", shape: [1], data_offsets: [0, 4] } }, 4),
    ],
    ["tensors that overlap", "overlap", rawFile({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8)],
    ["two tensors in one place", "overlap", rawFile({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4)],
    ["a hole at the beginning", "hole", rawFile({ a: f32([1], 4, 8) }, 8)],
    ["a hole between tensors", "hole", rawFile({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12)],
    ["bytes after the last tensor", "hole", rawFile({ a: f32([1], 0, 4) }, 5)],
    ["bytes and no tensor", "hole", rawFile("{}", 1)],
  ];

  it.each(cases)("%s is %s", async (_, kind, file) => {
    const error = await expectKind(kind, () => read(file));
    expect(error.file).toBe("some.safetensors");
    if (kind === "duplicate-name") expect(error.tensor).toBeDefined();
    expect(error.message.length).toBeLessThan(1000);
  });

  it("is an error that names the file, the tensor, what was found and what was expected", async () => {
    const { message, tensor } = await expectKind("size-mismatch", () =>
      read(rawFile({ "model.norm": f32([2, 3], 0, 4) }, 4)),
    );
    expect(tensor).toBe("model.norm");
    expect(message).toBe(
      'some.safetensors: tensor "model.norm": its data_offsets span 4 bytes. Expected: 24, for F32 [2,3].',
    );
  });

  it("is read no further than its header", async () => {
    const asked: [number, number][] = [];
    const source: ByteSource = {
      name: "huge",
      size: 2 ** 43,
      async read(offset, length) {
        asked.push([offset, length]);
        return offset === 0 ? new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]) : new Uint8Array([0x7b, 0x7d]);
      },
    };
    await expectKind("hole", () => readHeader(source));
    expect(asked).toEqual([
      [0, 8],
      [8, 2],
    ]);
  });

  it.each([
    ["a million arrays in an array", `{"a":[${"[],".repeat(1e6)}[]]}`, "bad-field"],
    [
      "a million names without an entry",
      `{${Array.from({ length: 1e6 }, (_, i) => `"${i}":1`).join(",")}}`,
      "bad-field",
    ],
    ["a shape of a million dimensions", `{"a":{"shape":[${"1,".repeat(1e6)}1]}}`, "bad-shape"],
    ["a number of a million digits", `{"a":{"shape":[${"1".repeat(1e6)}]}}`, "bad-shape"],
    ["a million brackets in an unknown field", `{"a":{"b":${"[".repeat(1e6)}`, "not-json"],
  ] as const)("with %s is refused at once", async (_, header, kind) => {
    const before = performance.now();
    await expectKind(kind, () => read(rawFile(header)));
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it("of a terabyte has exact offsets", () => {
    const big = { a: f32([2 ** 38], 0, 2 ** 40), b: f32([1], 2 ** 40, 2 ** 40 + 4) };
    const json = new TextEncoder().encode(JSON.stringify(big));
    const { tensors } = parseHeader(json, 2 ** 40 + 4, "terabyte");
    expect(tensors.get("b")!.offset).toBe(8 + json.length + 2 ** 40);
  });
});
