import {
  castInto,
  type Device,
  type F32,
  type FusedOps,
  fusedOf,
  ops,
  ropeTable,
  together,
  type Weight,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

/** Sizes of a block: width d, H query heads for G key heads of D, n wide in the MLP. */
const [d, heads, groups, width, n] = [256, 4, 2, 64, 688];
const norm = { kind: "rms", eps: 1e-5 } as const;
const fused = fusedOf(ops) as FusedOps;

/** Adjacent weights `[rows, width]`. */
function weightsOf<const R extends readonly number[]>(
  device: Device,
  rows: R,
  dtype: "f32" | "bf16" = "f32",
  width = d,
): { [I in keyof R]: Weight } {
  const parts = rows.map((count, i) => ({ shape: [count, width], label: `weight ${i}` }));
  const weights = together(device, [parts], dtype);
  for (const weight of weights) {
    device.own(weight);
    castInto(weight, normal(device, [weight.shape[0]!, width], 1 / 16));
  }
  return weights as unknown as { [I in keyof R]: Weight };
}

const linear = (x: F32, weight: Weight) => ops.linear(x, weight as never) as F32;

/** A case whose plain way is the operations that a fused one stands for. */
function besidePlain(
  name: string,
  shape: string,
  figures: Pick<BenchCase, "flops" | "bytes">,
  prepare: (device: Device) => { readonly run: () => F32; readonly plain: () => F32 },
): BenchCase {
  return {
    name,
    shape,
    ...figures,
    prepare(device) {
      const { run, plain } = prepare(device);
      return { run, plain, check: async () => checkSamples(name, run(), await plain().read()) };
    },
  };
}

function attentionCases(batch: number, length: number): readonly BenchCase[] {
  const tokens = batch * length;
  const shape = `B${batch} T${length}, d ${d}`;
  const products = 2 * tokens * d * (heads + 2 * groups) * width;
  const given = (device: Device) => {
    const frequencies = Array.from({ length: width / 2 }, (_, i) => 1e4 ** (-i / (width / 2)));
    const positions = Array.from({ length: tokens }, (_, i) => i % length);
    return {
      x: normal(device, [batch, length, d]) as F32,
      gain: normal(device, [d]),
      weights: weightsOf(device, [heads * width, groups * width, groups * width]),
      table: ropeTable(device, { positions: length, inverseFrequencies: frequencies }) as F32,
      positions: device.tensor(positions, [batch, length], "u32"),
    };
  };
  const toHeads = (x: F32, count: number) => ops.reshape(x, { shape: [batch, length, count, width] }) as F32;
  return [
    besidePlain("fused self-attention", shape, { flops: products }, (device) => {
      const { x, gain, weights, table, positions } = given(device);
      const [query, key, value] = weights;
      return {
        run: () => fused.selfAttention(x, gain, query, key, value, table, positions, { norm, heads, groups }),
        plain() {
          const input = ops.rmsNorm(x, gain, { eps: norm.eps });
          const turned = (weight: Weight, count: number) =>
            ops.rope(toHeads(linear(input, weight), count), table, positions);
          return ops.attention(turned(query, heads), turned(key, groups), toHeads(linear(input, value), groups));
        },
      };
    }),
    besidePlain(
      "fused self-attention backward",
      shape,
      { bytes: 4 * tokens * (6 * heads + 8 * groups) * width },
      (device) => {
        const { x, gain, weights, table, positions } = given(device);
        const parts = fused.selfAttentionForward(x, gain, ...weights, table, positions, { norm, heads, groups });
        const gradient = normal(device, [batch, length, heads, width]) as F32;
        return {
          run: () => fused.selfAttentionBackward(parts, table, positions, gradient, {}),
          plain() {
            const { q, k, v, output, logSumExp } = parts;
            const to = ops.attentionBackward(q, k, v, output, logSumExp, gradient);
            const back = (heads: F32) =>
              ops.reshape(ops.rope(heads, table, positions, { inverse: true }), {
                shape: [tokens, heads.size / tokens],
              }) as F32;
            const values = ops.reshape(to.v, { shape: [tokens, groups * width] }) as F32;
            return ops.concat(ops.concat(back(to.q), back(to.k), { axis: 1 }), values, { axis: 1 });
          },
        };
      },
    ),
  ];
}

function gatedCase(rows: number, dtype: "f32" | "bf16", [d, n]: readonly [number, number]): BenchCase {
  const shape = `${rows}×${d} by ${d}×${n} twice, ${dtype}`;
  return besidePlain("fused gated linear", shape, { flops: 4 * rows * d * n }, (device) => {
    const [x, gain] = [normal(device, [rows, d]) as F32, normal(device, [d])];
    const [gate, up] = weightsOf(device, [n, n], dtype, d);
    return {
      run: () => fused.gatedLinear(x, gain, gate, up, { norm }),
      plain() {
        const input = ops.rmsNorm(x, gain, { eps: norm.eps });
        return ops.swiglu(linear(input, gate), linear(input, up));
      },
    };
  });
}

/** Sizes of the tiny LLaMA's MLP. */
const tiny = [64, 172] as const;

export const fusedCases: readonly BenchCase[] = [
  ...attentionCases(8, 40),
  ...attentionCases(1, 1),
  gatedCase(320, "f32", [d, n]),
  gatedCase(1, "f32", [d, n]),
  gatedCase(1, "bf16", [d, n]),
  gatedCase(8, "f32", tiny),
  gatedCase(24, "f32", tiny),
  besidePlain("fused linear after a norm", "8×64 by 64×192", { flops: 2 * 8 * 64 * 192 }, (device) => {
    const [x, gain, weight] = [normal(device, [8, 64]) as F32, normal(device, [64]), normal(device, [192, 64], 1 / 16)];
    return {
      run: () => fused.normLinear(x, gain, weight as F32, { norm }),
      plain: () => linear(ops.rmsNorm(x, gain, { eps: norm.eps }), weight as F32),
    };
  }),
  besidePlain("fused gated linear backward", `320×${n}`, { bytes: 4 * 320 * 5 * n }, (device) => {
    const joint = normal(device, [320, 2 * n]) as F32;
    const gradient = normal(device, [320, n]) as F32;
    const half = (start: number) => ops.slice(joint, { axis: 1, start, end: start + n });
    const [gate, up] = [half(0), half(n)];
    return {
      run: () => fused.gatedLinearBackward(joint, gradient),
      plain() {
        const to = ops.swigluBackward(gate, up, gradient);
        return ops.concat(to.gate, to.up, { axis: 1 });
      },
    };
  }),
  ...[1, 320].map((rows) =>
    besidePlain(
      "fused linear with the residual",
      `${rows}×${n} by ${n}×${d}`,
      { flops: 2 * rows * n * d },
      (device) => {
        const [x, residual] = [normal(device, [rows, n]) as F32, normal(device, [rows, d]) as F32];
        const weight = normal(device, [d, n], 1 / 16) as F32;
        return {
          run: () => fused.linearAdd(x, weight, residual),
          plain: () => ops.add(residual, linear(x, weight)) as F32,
        };
      },
    ),
  ),
];
