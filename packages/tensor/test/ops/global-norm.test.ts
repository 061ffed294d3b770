import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { openDevice } from "../../src/index.ts";
import { GlobalNorm } from "../../src/ops/global-norm.ts";
import { castInto } from "../../src/ops/layout.ts";
import { together } from "../../src/together.ts";

const device = await testDevice();
const sizes = [1, 5, 4096, 4097, 130, 10_001, 64];
const square = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0);

/** Tensors in one buffer, those of every second size in buffers of their own, and their values. */
function tensors(on = device) {
  const laid = together(
    on,
    sizes.map((size, i) => [{ shape: [size], label: `${i}` }]),
    "f32",
  );
  return laid.map((tensor, i) => {
    const values = normal(tensor.size, i + 1);
    const given = on.tensor(values, tensor.shape);
    if (i % 3 === 1) {
      tensor.dispose();
      return { tensor: given, values };
    }
    castInto(tensor, given);
    on.own(tensor);
    return { tensor, values };
  });
}

test("squares of each tensor, their sum, its root and the factor that clips it", async () => {
  using norms = new GlobalNorm(device);
  const given = tensors();
  const expected = given.map(({ values }) => square(values));
  const norm = Math.hypot(...expected.map(Math.sqrt));
  for (const parts of [given, given.toReversed()]) {
    const found = norms.of(parts, norm / 2);
    expectClose(await found.squares.read(), parts === given ? expected : expected.toReversed());
    expectClose([await found.total.item()], [norm * norm]);
    expectClose([await found.norm.item()], [norm]);
    expectClose([await found.clip.item()], [norm / 2 / (norm + 1e-6)]);
  }
  for (const largest of [2 * norm, undefined]) expect(await norms.of(given, largest).clip.item()).toBe(1);
});

test("of a matrix one column may count", async () => {
  using norms = new GlobalNorm(device);
  const values = normal(5000 * 3);
  const matrix = device.tensor(values, [5000, 3]);
  const { squares } = norms.of([{ tensor: matrix, column: 2 }, { tensor: matrix }, { tensor: matrix, column: 0 }]);
  const column = (index: number) => values.filter((_, i) => i % 3 === index);
  expectClose(await squares.read(), [column(2), values, column(0)].map(square));
  expect(() => norms.of([{ tensor: matrix, column: 3 }])).toThrow("has no column 3");
  expect(() => norms.of([])).toThrow("nothing to measure");
});

test("tensors of one buffer take one dispatch, and one adds up", async () => {
  const own = await openDevice();
  using norms = new GlobalNorm(own);
  const laid = together(
    own,
    sizes.map((size, i) => [{ shape: [size], label: `${i}` }]),
    "f32",
  );
  for (let i = 0; i < 2; i++) {
    const before = own.dispatches;
    norms.of(laid.map((tensor) => ({ tensor })));
    expect(own.dispatches - before).toBe(2);
  }
  own.destroy();
});

test("a tensor larger than one binding is read in parts", async () => {
  const own = await openDevice({ maxBindingBytes: 4 * 4096 });
  using norms = new GlobalNorm(own);
  const given = tensors(own);
  expectClose(
    await norms.of(given).squares.read(),
    given.map(({ values }) => square(values)),
  );
  own.destroy();
});
