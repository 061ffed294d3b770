import { type FloatDType, fromFloat32, toFloat32, type Weight } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { weightToWrite } from "../src/checkpoint/saving/weight-data.ts";

const device = await testDevice();
const stored = { f32: "F32", f16: "F16", bf16: "BF16" } as const;

/** Random bits: numbers, subnormals, infinities and NaNs with a payload. */
function randomBits(size: number, dtype: FloatDType): { weight: Weight; bits: Uint8Array<ArrayBuffer> } {
  const bits = new Uint8Array(size * (dtype === "f32" ? 4 : 2)).map(() => integer(0, 255));
  const weight = device.empty([size], dtype, "random bits");
  device.writeBytes(weight, 0, bits);
  return { weight, bits };
}

async function written({ data }: ReturnType<typeof weightToWrite>): Promise<Uint8Array<ArrayBuffer>[]> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of data()) pieces.push(piece);
  return pieces;
}

test.each(["f32", "f16", "bf16"] as const)("%s is written bit for bit", async (dtype) => {
  for (const size of [1, 4, 1001]) {
    const { weight, bits } = randomBits(size, dtype);
    const tensor = weightToWrite("w", weight);
    expect(tensor).toMatchObject({ name: "w", dtype: stored[dtype], shape: [size], bytes: bits.length });
    expect(await written(tensor)).toEqual([bits]);
  }
});

test.each([
  ["f32", "bf16"],
  ["f32", "f16"],
  ["bf16", "f32"],
  ["f16", "bf16"],
] as const)("%s is written as %s, rounded", async (from, to) => {
  const { weight, bits } = randomBits(333, from);
  const tensor = weightToWrite("w", weight, to);
  expect(tensor).toMatchObject({ dtype: stored[to], bytes: 333 * (to === "f32" ? 4 : 2) });
  expect(await written(tensor)).toEqual([fromFloat32(toFloat32(bits, stored[from]), stored[to])]);
});

test("a large weight comes in pieces", async () => {
  const size = 5 * 2 ** 20 + 1;
  const bits = new Uint8Array(Uint32Array.from({ length: (size + 1) / 2 }, (_, i) => i).buffer, 0, size * 2);
  const weight = device.empty([size], "bf16", "large");
  device.writeBytes(weight, 0, bits);
  const before = device.memory().bytesInUse;
  const pieces = await written(weightToWrite("w", weight));
  expect(pieces.map(({ length }) => length)).toEqual([8 * 2 ** 20, 2 * 2 ** 20 + 2]);
  expect(Buffer.compare(Buffer.concat(pieces), bits)).toBe(0);
  expect(device.memory().bytesInUse).toBe(before);
});

test("an empty weight has no bytes", async () => {
  expect(await written(weightToWrite("w", device.empty([0, 4], "bf16", "empty")))).toEqual([]);
});
