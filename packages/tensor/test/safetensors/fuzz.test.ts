import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteLength, SAFETENSORS_DTYPES } from "../../src/safetensors/dtype.ts";
import {
  bytesSource,
  encodeSafetensors,
  openSafetensors,
  SafetensorsError,
  type TensorToWrite,
} from "../../src/safetensors/index.ts";
import { golden, rawFile } from "./build.ts";

const name = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("__proto__", "constructor", "toString", "0", "10", "9", "\uffee", "𝕏", '"\\\n\u0000'),
);

/** A tensor of any dtype and small shape with random bytes. Empty tensors and scalars are among them. */
const tensor: fc.Arbitrary<TensorToWrite> = fc
  .record({
    name,
    dtype: fc.constantFrom(...SAFETENSORS_DTYPES),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  })
  .filter(({ dtype, shape }) => byteLength(dtype, shape) !== undefined)
  .chain((t) => {
    const bytes = byteLength(t.dtype, t.shape)!;
    return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data) => ({ ...t, data }));
  });
const tensors = fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 6 });
const metadata = fc.dictionary(name, fc.string({ unit: "grapheme" }), { maxKeys: 3 });

type Contents = { tensors: TensorToWrite[]; metadata: Record<string, string> };

async function decode(file: Uint8Array): Promise<Contents> {
  const checkpoint = await openSafetensors(bytesSource(file, "fuzzed"));
  const tensors = checkpoint.names().map(async (name) => {
    const { dtype, shape } = checkpoint.info(name);
    return { name, dtype, shape, data: await checkpoint.read(name) };
  });
  return { tensors: await Promise.all(tensors), metadata: Object.fromEntries(checkpoint.metadata().get("fuzzed")!) };
}

/** The contents, or undefined for a `SafetensorsError`; any other error is a failure. */
async function tryDecode(file: Uint8Array): Promise<Contents | undefined> {
  try {
    return await decode(file);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    return undefined;
  }
}

const encode = ({ tensors, metadata }: Contents) => encodeSafetensors(tensors, metadata);

describe("a file that was written", () => {
  it("is read back, aligned, and does not depend on the order it is given in", async () => {
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (tensors, metadata) => {
        const file = encodeSafetensors(tensors, metadata);
        expect(new DataView(file.buffer).getUint32(0, true) % 8).toBe(0);
        const contents = await decode(file);
        const byName = (a: TensorToWrite, b: TensorToWrite) => (a.name < b.name ? -1 : 1);
        expect(contents.tensors.toSorted(byName)).toEqual(tensors.toSorted(byName));
        expect(contents.metadata).toEqual(metadata);
        expect(encodeSafetensors(tensors.toReversed(), metadata)).toEqual(file);
        expect(encode(contents)).toEqual(file);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a damaged file", () => {
  it("is refused with a SafetensorsError wherever it is cut short", async () => {
    await fc.assert(
      fc.asyncProperty(
        tensors,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (tensors, part) => {
          const file = encodeSafetensors(tensors);
          expect(await tryDecode(file.slice(0, Math.floor(part * file.length)))).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is refused, or still a well-formed file, after any bytes change", async () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(tensors, flips, async (tensors, flips) => {
        const file = encodeSafetensors(tensors);
        const dataStart = 8 + new DataView(file.buffer).getUint32(0, true);
        for (const [at, bits] of flips) file[at % file.length]! ^= bits;
        const contents = await tryDecode(file);
        if (contents === undefined) {
          // A change to the data alone cannot be found: the format has no checksum.
          expect(flips.some(([at]) => at % file.length < dataStart)).toBe(true);
          return;
        }
        accepted++;
        const data = contents.tensors.flatMap((t) => [...t.data]);
        expect(data).toEqual([...file.subarray(file.length - data.length)]);
        expect(encode(await decode(encode(contents)))).toEqual(encode(contents));
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("is refused, or unchanged, after a structured edit of its header", async () => {
    const junk = fc.oneof(
      fc.constantFrom<unknown>(-1, 0.5, 2 ** 53, 2 ** 60, null, "", [], {}, true, [0, 4], "F32", "F64", [
        2 ** 30,
        2 ** 30,
      ]),
      fc.jsonValue({ maxDepth: 3 }),
      fc.tuple(fc.nat(40), fc.nat(40)),
      fc.array(fc.nat(9), { maxLength: 3 }),
    );
    const edit = fc.record({ tensor: fc.nat(5), field: fc.constantFrom("dtype", "shape", "data_offsets", "*"), junk });
    await fc.assert(
      fc.asyncProperty(
        tensors.filter((t) => t.length > 0),
        fc.array(edit, { minLength: 1, maxLength: 2 }),
        async (tensors, edits) => {
          const file = encodeSafetensors(tensors);
          const dataStart = 8 + new DataView(file.buffer).getUint32(0, true);
          const header = new Map(
            Object.entries(
              JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart))) as Record<string, unknown>,
            ),
          );
          for (const { tensor, field, junk } of edits) {
            const [name, entry] = [...header][tensor % header.size]!;
            header.set(name, field === "*" ? junk : Object.assign({}, entry, { [field]: junk }));
          }
          const text = [...header].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",");
          const edited = rawFile(`{${text}}`, file.length - dataStart);
          edited.set(file.subarray(dataStart), edited.length - (file.length - dataStart));
          const contents = await tryDecode(edited);
          if (contents === undefined) return;
          // Where the file is accepted, every byte of the data still belongs to exactly one of the same tensors.
          expect(contents.tensors.map((t) => t.name).toSorted()).toEqual(tensors.map((t) => t.name).toSorted());
          const data = contents.tensors.flatMap((t) => [...t.data]);
          expect(data).toEqual([...file.subarray(dataStart)]);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("is refused when it is not safetensors at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.string({ unit: "binary" }), async (bytes, text) => {
        expect(await tryDecode(bytes)).toBeUndefined();
        expect((await tryDecode(rawFile(`{${text}`)))?.tensors ?? []).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("the reference implementation's verdict", () => {
  it("is the same as ours, with every header byte of a file replaced by every significant character", async () => {
    const golden_ = JSON.parse(new TextDecoder().decode(golden("verdicts.json"))) as Record<string, string> & {
      verdicts: string[];
    };
    const base = Uint8Array.from(Buffer.from(golden_.base!, "hex"));
    const replacements = Buffer.from(golden_.replacements!, "hex");
    const differences: string[] = [];
    for (const [at, row] of golden_.verdicts.entries()) {
      for (const [i, byte] of replacements.entries()) {
        const mutant = base.slice();
        mutant[at] = byte;
        const ours = (await tryDecode(mutant)) !== undefined;
        if (ours !== (row[i] === "1"))
          differences.push(`${at}: ${String.fromCharCode(base[at]!)} -> ${byte}, ours ${ours}`);
      }
    }
    expect(differences).toEqual([]);
  });
});
