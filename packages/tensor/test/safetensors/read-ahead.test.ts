import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Extent, readExtents } from "../../src/safetensors/read-ahead.ts";
import { type ByteSource, bytesSource } from "../../src/safetensors/source.ts";

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251);

/** A source that notes the ranges that are read, and how many at a time. Each takes a moment. */
function noting(): { source: ByteSource; reads: [offset: number, length: number][]; most: () => number } {
  const reads: [number, number][] = [];
  let [open, most] = [0, 0];
  const inner = bytesSource(content);
  const read: ByteSource["read"] = async (offset, length) => {
    reads.push([offset, length]);
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return inner.read(offset, length);
  };
  return { source: { ...inner, read }, reads, most: () => most };
}

/** What is read of each extent, put together. */
async function readAll(extents: readonly Extent[], pieceBytes: number): Promise<Uint8Array[]> {
  const whole = extents.map(({ begin, end }) => new Uint8Array(end - begin));
  const done = extents.map(() => 0);
  for await (const { index, offset, bytes } of readExtents(extents, pieceBytes)) {
    expect(offset).toBe(done[index]);
    expect(bytes.byteOffset % 8).toBe(0);
    whole[index]!.set(bytes, offset);
    done[index]! += bytes.length;
    if (done[index]! < whole[index]!.length) expect(bytes.length % 8).toBe(0);
  }
  expect(done).toEqual(whole.map(({ length }) => length));
  return whole;
}

describe("extents", () => {
  it("of any places and sizes arrive whole and in order", async () => {
    const extent = fc.record({ begin: fc.nat(299_000), length: fc.oneof(fc.nat(40), fc.nat(1000)) });
    const pieceBytes = fc.integer({ min: 1, max: 80 }).map((n) => n * 8);
    await fc.assert(
      fc.asyncProperty(fc.array(extent, { maxLength: 12 }), pieceBytes, fc.boolean(), async (places, bytes, sorted) => {
        const { source, reads } = noting();
        if (sorted) places.sort((a, b) => a.begin - b.begin);
        const extents = places.map(({ begin, length }) => ({ source, begin, end: begin + length }));
        const expected = extents.map(({ begin, end }) => content.slice(begin, end));
        expect(await readAll(extents, bytes)).toEqual(expected);
        for (const [, length] of reads) expect(length).toBeLessThanOrEqual(bytes);
      }),
      { numRuns: 40 },
    );
  });

  it("that are neighbours are read together, over a small gap and not over a large one", async () => {
    const { source, reads } = noting();
    const at = (begin: number, end: number) => ({ source, begin, end });
    await readAll([at(0, 100), at(100, 200), at(1000, 1003), at(1003, 1100), at(200_000, 200_100)], 80_000);
    expect(reads).toEqual([
      [0, 1100],
      [200_000, 100],
    ]);
  });

  it("are read four pieces at a time", async () => {
    const { source, most } = noting();
    await readAll([{ source, begin: 0, end: 100_000 }], 1000);
    expect(most()).toBe(4);
  });

  it("of two files are read in one go", async () => {
    const [one, other] = [noting(), noting()];
    await readAll(
      [
        { source: one.source, begin: 0, end: 1000 },
        { source: other.source, begin: 0, end: 1000 },
      ],
      8000,
    );
    expect([one.reads.length, other.reads.length]).toEqual([1, 1]);
  });
});
