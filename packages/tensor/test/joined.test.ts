import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { affine, castInto, type F32, joined, linear, openDevice, split, together } from "../src/index.ts";

const device = await testDevice();
const { bindingAlignment } = device.capabilities;
/** Elements of an f32 row that begins at an aligned byte. */
const width = bindingAlignment / 4;

const parts = [
  { shape: [3, width], label: "a" },
  { shape: [1, width], label: "b" },
  { shape: [2, width], label: "c" },
] as const;

test.each(["f32", "bf16"] as const)("each part of a buffer is a tensor of its own: %s", async (dtype) => {
  const rows = parts.map(({ shape, label }) => ({ shape: [shape[0], 2 * width], label }));
  const made = together(device, [rows], dtype);
  expect(made.map(({ shape, label, dtype }) => [shape, label, dtype])).toEqual(
    rows.map(({ shape, label }) => [shape, label, dtype]),
  );
  expect(new Set(made.map(({ storage }) => storage.buffer)).size).toBe(1);
  expect(new Set(made.map(({ storage }) => storage)).size).toBe(3);
  const values = rows.map(({ shape: [count, width] }) => normal(count! * width!).map(Math.fround));
  for (const [i, tensor] of made.entries()) castInto(tensor, device.tensor(values[i]!, tensor.shape));
  const halves = dtype === "bf16" ? { rtol: 2 ** -8, atol: 0 } : { rtol: 0, atol: 0 };
  for (const [i, tensor] of made.entries()) expectClose(await tensor.read(), values[i]!, halves);
  expectClose(
    await joined(made)!.read(),
    values.flatMap((list) => [...list]),
    halves,
  );
  for (const tensor of made) tensor.dispose();
});

test("the buffer goes back with the last of its parts, and their joint holds it too", () => {
  const before = device.memory().bytesInUse;
  const made = together(device, [parts], "f32");
  expect(device.memory().bytesInUse).toBe(before + 4 * 6 * width);
  expect(device.memory().live.get("a and 2 more")?.count).toBe(1);
  const whole = joined(made)!;
  const view = made[1]!.reshape([width]);
  for (const tensor of made) tensor.dispose();
  whole.dispose();
  expect(device.memory().bytesInUse).toBe(before + 4 * 6 * width);
  view.dispose();
  expect(device.memory().bytesInUse).toBe(before);
});

test("kernels, uploads and copies reach a part alone", async () => {
  const [a, b, c] = together(device, [parts], "f32") as [F32, F32, F32];
  const values = parts.map(({ shape }) => normal(shape[0] * width));
  for (const [i, tensor] of [a, b, c].entries()) castInto(tensor, device.tensor(values[i]!, tensor.shape));
  device.writeBytes(b, 8, new Uint8Array(Float32Array.of(7, 8).buffer));
  values[1]!.set([7, 8], 2);
  expectClose(
    await affine(b, { factor: 2 }).read(),
    values[1]!.map((value) => 2 * value),
    { rtol: 0, atol: 0 },
  );
  // Within one buffer.
  device.copyBytes(a, 4 * width, c, 4 * width, 4 * width);
  values[2]!.set(values[0]!.slice(width, 2 * width), width);
  for (const [i, tensor] of [a, b, c].entries()) expect(await tensor.read()).toEqual(values[i]);
  for (const tensor of [a, b, c]) tensor.dispose();
});

test("one product reads weights that lie one after another", async () => {
  const weights = together(device, [parts], "f32");
  const values = parts.map(({ shape }) => normal(shape[0] * width));
  for (const [i, tensor] of weights.entries()) castInto(tensor, device.tensor(values[i]!, tensor.shape));
  const x = device.tensor(normal(2 * width), [2, width]);
  const apart = await Promise.all(weights.map((weight) => linear(x, weight as never).read()));
  const whole = await linear(x, joined(weights)! as never).read();
  const expected = [0, 1].flatMap((row) =>
    apart.flatMap((y, i) => [...y.slice(row * parts[i]!.shape[0]).slice(0, parts[i]!.shape[0])]),
  );
  expectClose(whole, expected);
  for (const tensor of weights) tensor.dispose();
});

test("parts of a part are cut and joined like others", async () => {
  const whole = device.tensor(normal(6 * width), [6, width]);
  const [first, rest] = split(whole, [2, 4])!;
  const [second, third] = split(rest!, [3, 1])!;
  expect([...(await third!.read())]).toEqual([...(await whole.read())].slice(5 * width));
  expect(joined([first!, second!, third!])?.shape).toEqual([6, width]);
  expect(joined([second!, third!])?.shape).toEqual([4, width]);
  expect(joined([second!, first!])).toBeNull();
  expect(joined([first!, third!])).toBeNull();
  expect(joined([first!, device.empty([1, width])])).toBeNull();
});

test("parts that do not begin where another ends are not joined, and are not cut where kernels could not bind them", () => {
  const odd = [
    { shape: [1, width - 1], label: "a" },
    { shape: [1, width - 1], label: "b" },
  ];
  const made = together(device, [odd], "f32");
  expect(joined(made)).toBeNull();
  expect(split(device.empty([2, width - 1]), [1, 1])).toBeNull();
  for (const tensor of made) tensor.dispose();
});

test("parts larger than one binding together are laid apart", async () => {
  const own = await openDevice({ maxBindingBytes: 4 * 4 * width });
  const made = together(own, [parts], "f32");
  expect(joined(made)).toBeNull();
  own.destroy();
});

test("what does not fit is refused", () => {
  expect(() => split(device.empty([3, width]), [1, 1])).toThrow("has 3 rows, and its parts 2");
});
