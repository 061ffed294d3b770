import * as fc from "fast-check";
import { expect, it } from "vitest";
import { encodeSafetensors, type TensorToWrite } from "../../src/safetensors/index.ts";

/** The class of npm's `safetensors` 0.0.1, which comes without types. */
interface IndependentReader {
  readonly metadata: ReadonlyMap<string, { readonly dtype: string; readonly shape: number[] }>;
  getTensor(name: string): Uint8Array;
}

const { SafeTensor } = (await import("safetensors" as string)).default as {
  readonly SafeTensor: new (file: Uint8Array) => IndependentReader;
};

const bits = { U8: 8, I8: 8, BF16: 16, F16: 16, F32: 32, I64: 64, F64: 64 } as const;

const tensors = fc.uniqueArray(
  fc
    .record({
      name: fc
        .string({ minLength: 1, unit: "grapheme" })
        .filter((name) => name !== "__metadata__" && name !== "__proto__"),
      dtype: fc.constantFrom(...(Object.keys(bits) as (keyof typeof bits)[])),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .chain(({ name, dtype, shape }) => {
      const bytes = shape.reduce((product, dim) => product * dim, bits[dtype] / 8);
      return fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .map((data): TensorToWrite => ({ name, dtype, shape, data }));
    }),
  { selector: ({ name }) => name, maxLength: 6 },
);

// That package reads no metadata and no view with an offset, and checks nothing: it is a reader for this test alone.
it("an independent reader finds every tensor in files that Lethe writes without metadata", () => {
  fc.assert(
    fc.property(tensors, (written) => {
      const file = new SafeTensor(new Uint8Array(encodeSafetensors(written)));
      expect([...file.metadata.keys()].sort()).toEqual(written.map(({ name }) => name).sort());
      for (const { name, dtype, shape, data } of written) {
        expect(file.metadata.get(name)).toMatchObject({ dtype, shape });
        expect(file.getTensor(name)).toEqual(data);
      }
    }),
  );
});
