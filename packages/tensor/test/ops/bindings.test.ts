import { describe, expect, test } from "vitest";
import { byteLength, type FloatDType } from "../../src/dtype.ts";
import { bind, extent, type MatmulOperand, splitMatmul } from "../../src/ops/matmul-split.ts";
import { part, partsOf } from "../../src/ops/parts.ts";
import type { Device, Tensor } from "../../src/tensor.ts";

// How tensors of large models are cut on adapters with the limits that drivers report: NVIDIA's binds 2 GiB less four bytes, Mesa's software adapter
// 128 MiB. Nothing is allocated: these look at sizes alone.

type Range = { readonly offset: number; readonly size: number };

const limits = { nvidia: 2 ** 31 - 4, mesa: 2 ** 27 };

function tensorOn(maxBindingBytes: number, rows: number, columns: number, dtype: FloatDType) {
  const device = { capabilities: { maxBindingBytes, bindingAlignment: 256 } } as Device;
  return {
    device,
    dtype,
    shape: [rows, columns],
    label: "table",
    bytes: byteLength(dtype, rows * columns),
  } as unknown as Tensor;
}

describe.each(Object.entries(limits))("%s", (_, maxBindingBytes) => {
  const fits = ({ offset, size }: Range) => {
    expect(offset % 256).toBe(0);
    expect(size % 4).toBe(0);
    expect(size).toBeLessThanOrEqual(maxBindingBytes);
  };

  test.each([
    [128256, 8192, "f32"],
    [128256, 8192, "bf16"],
    [152064, 5120, "bf16"],
    [2 ** 19, 1024, "f32"],
  ] as const)("rows of [%i, %i] %s", (rows, columns, dtype) => {
    const table = tensorOn(maxBindingBytes, rows, columns, dtype);
    const parts = partsOf(table.device, rows, [[table, columns]]);
    let next = 0;
    for (const { start, count } of parts) {
      expect(start).toBe(next);
      next += count;
      const bound = part(table, columns, start, count, rows);
      if (parts.length > 1) fits(bound as Range);
    }
    expect(next).toBe(rows);
    expect(parts.length).toBeLessThanOrEqual(Math.ceil(table.bytes / maxBindingBytes) + 1);
  });

  test("the product of an unembedding that no binding holds", () => {
    const [m, n, k] = [32, 128256, 8192];
    const operand = (rows: number, columns: number, axes: MatmulOperand["axes"]): MatmulOperand => ({
      ...{ tensor: tensorOn(maxBindingBytes, rows, columns, "f32"), axes },
      strides: [0, columns, 1],
    });
    const operands = [
      operand(m, k, ["batch", "m", "k"]),
      operand(n, k, ["batch", "n", "k"]),
      operand(m, n, ["batch", "m", "n"]),
    ];
    const whole = { batch: extent(0, 1), m: extent(0, m), n: extent(0, n), k: extent(0, k) };
    const parts = splitMatmul(operands[0]!.tensor.device, operands, whole);
    for (const one of parts) for (const each of operands) fits(bind(each, one).binding as Range);
    const products = parts.map(({ m, n, k }) => (m.end - m.start) * (n.end - n.start) * (k.end - k.start));
    expect(products.reduce((sum, count) => sum + count)).toBe(m * n * k);
  });
});
