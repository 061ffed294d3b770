import {
  attention,
  attentionBackward,
  attentionForward,
  cast,
  type Device,
  type FloatDType,
  matmulWith,
  rmsNorm,
  type Shape,
  softmax,
  sum,
  type Tensor,
  type Tuning,
} from "@lethe/tensor";
import { attentionKey, matmulKey, rowKey } from "../../packages/tensor/src/gpu/tuning.ts";
import { attentionFamilies } from "../../packages/tensor/src/ops/attention-plan.ts";
import { matmulCandidates } from "../../packages/tensor/src/ops/matmul-plan.ts";
import { normal } from "../inputs.ts";

/** The plans that a tuning chooses for. */
export type PlanName = Exclude<keyof Tuning, "adapter">;

/** Sizes of a plan, and what it could choose for them. */
export interface TuningSubject {
  readonly plan: PlanName;
  /** The key of the plan's table. */
  readonly key: string;
  readonly candidates: readonly unknown[];
  /** Uploads inputs, inside a scope that lives as long as the subject. Every work depends on the choice; the fastest in all of them wins. */
  prepare(device: Device): readonly (() => Tensor)[];
}

type Capabilities = Device["capabilities"];

/** Products of a layer of width `k` with an MLP of width `n`: decoding, prefill and, for the smaller ones, both gradients. */
function productsOf(k: number, n: number, capabilities: Capabilities): TuningSubject[] {
  const forward = [1, 8, 128, 512].flatMap((m) =>
    (["f32", "bf16"] as const).map((dtype) => ({ m, n, k, dtype, transposeA: false, transposeB: true })),
  );
  const gradients = [
    { m: 320, n: k, k: n, dtype: "f32", transposeA: false, transposeB: false },
    { m: n, n: k, k: 320, dtype: "f32", transposeA: true, transposeB: false },
  ] as const;
  return [...forward, ...gradients].map((product) => ({
    plan: "matmul",
    key: matmulKey({ ...product, batch: 1 }),
    candidates: matmulCandidates(capabilities),
    prepare(device) {
      const { m, n, k, dtype, transposeA, transposeB } = product;
      const a = normal(device, transposeA ? [k, m] : [m, k]);
      const b: Tensor<Shape, FloatDType> = cast(normal(device, transposeB ? [n, k] : [k, n]), { dtype });
      return [() => matmulWith(undefined, a, b, { transposeA, transposeB })];
    },
  }));
}

interface Heads {
  readonly batch: number;
  readonly queries: number;
  readonly length: number;
  readonly heads: number;
  readonly width: number;
}

function attentionsOf(sizes: Heads): TuningSubject[] {
  const { batch, queries, length, heads, width } = sizes;
  const inputs = (device: Device) => ({
    q: normal(device, [batch, queries, heads, width]),
    k: normal(device, [batch, length, heads, width]),
    v: normal(device, [batch, length, heads, width]),
  });
  const forward: TuningSubject = {
    plan: "attention",
    key: attentionKey(sizes),
    candidates: attentionFamilies,
    prepare(device) {
      const { q, k, v } = inputs(device);
      return [() => attention(q, k, v)];
    },
  };
  if (queries < length) return [forward];
  const backward: TuningSubject = {
    plan: "attentionBackward",
    key: attentionKey(sizes),
    candidates: attentionFamilies.filter((family) => family !== "decode"),
    prepare(device) {
      const { q, k, v } = inputs(device);
      const gradient = normal(device, q.shape);
      const { output, logSumExp } = attentionForward(q, k, v);
      const gradients = () => attentionBackward(q, k, v, output, logSumExp, gradient);
      // Each is computed whatever is asked for; the sum is compared.
      return [() => gradients().q, () => gradients().k];
    },
  };
  return [forward, backward];
}

/** Rows of a width, by a kernel that normalises, one that needs two passes, and a sum. */
function rowsOf(width: number, { maxWorkgroupSize }: Capabilities): TuningSubject {
  const shapes = [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024].flatMap((LANES) =>
    [1, 2, 4, 8].map((ROWS) => ({ LANES, ROWS })),
  );
  return {
    plan: "rows",
    key: rowKey(width),
    candidates: shapes.filter(
      ({ LANES, ROWS }) => LANES * ROWS >= 8 && LANES * ROWS <= Math.min(maxWorkgroupSize, 1024),
    ),
    prepare(device) {
      const x = normal(device, [Math.max(64, 2 ** 20 / width), width]);
      const weight = normal(device, [width]);
      return [() => softmax(x), () => rmsNorm(x, weight, { eps: 1e-5 }), () => sum(x, { axis: 1 })];
    },
  };
}

/** What `--tune` tries, from the tiny models to 7B. */
export function tuningSubjects(capabilities: Capabilities): TuningSubject[] {
  return [
    ...[
      [64, 172],
      [576, 1536],
      [2048, 5632],
      [4096, 11008],
    ].flatMap(([k, n]) => productsOf(k!, n!, capabilities)),
    ...[
      { batch: 10, queries: 48, length: 48, heads: 4, width: 16 },
      { batch: 1, queries: 128, length: 128, heads: 8, width: 64 },
      { batch: 1, queries: 512, length: 512, heads: 8, width: 64 },
      { batch: 1, queries: 512, length: 512, heads: 8, width: 128 },
      { batch: 1, queries: 1, length: 1024, heads: 8, width: 64 },
      { batch: 8, queries: 1, length: 1024, heads: 8, width: 128 },
    ].flatMap(attentionsOf),
    ...[64, 256, 1024, 4096, 32_000, 128_256].map((width) => rowsOf(width, capabilities)),
  ];
}
