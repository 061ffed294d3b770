import {
  attendWithPattern,
  attention,
  attentionBackward,
  attentionForward,
  attentionPattern,
  type Device,
  mixedOps,
  ops,
  rope,
  ropeTable,
} from "@lethe/tensor";
import { attentionGradientReference, attentionReference } from "@lethe/testing/reference/attention";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

export interface Heads {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly width: number;
}

const prefill: Heads[] = [
  { batch: 1, length: 512, heads: 8, groups: 2, width: 64 },
  { batch: 10, length: 48, heads: 4, groups: 4, width: 16 },
];

const decoding: Heads[] = [
  { batch: 1, length: 2048, heads: 8, groups: 2, width: 64 },
  { batch: 10, length: 128, heads: 4, groups: 4, width: 16 },
];

const describe = ({ batch, length, heads, groups, width }: Heads) =>
  `B${batch} T${length} H${heads}/${groups} D${width}`;

// Half the scores are masked away.
const causalFlops = ({ batch, length, heads, width }: Heads) => 2 * batch * heads * length * length * width;

function inputs(device: Device, { batch, length, heads, groups, width }: Heads, queries = length) {
  const keys = [batch, length, groups, width] as const;
  return { q: normal(device, [batch, queries, heads, width]), k: normal(device, keys), v: normal(device, keys) };
}

type Inputs = ReturnType<typeof inputs>;

/** Attention that stores its pattern: the plain way. */
const unfused = ({ q, k, v }: Inputs) => attendWithPattern(attentionPattern(q, k), v);

/** The size as the float64 references take it. */
const asReference = ({ length, ...size }: Heads) => ({
  ...size,
  queries: length,
  capacity: length,
  length,
  scale: 1 / Math.sqrt(size.width),
  starts: new Array<number>(size.batch).fill(0),
});

export const forwardCase = (size: Heads): BenchCase => ({
  name: "attention",
  shape: describe(size),
  flops: causalFlops(size),
  prepare(device) {
    const given = inputs(device, size);
    const { q, k, v } = given;
    return {
      run: () => attention(q, k, v),
      plain: () => unfused(given),
      async check() {
        const [x, y, z] = await Promise.all([q.read(), k.read(), v.read()]);
        const { output } = attentionReference(asReference(size), x, y, z);
        await checkSamples("attention", attention(q, k, v), output);
      },
    };
  },
});

const backwardCase = (size: Heads): BenchCase => ({
  name: "attention backward",
  shape: describe(size),
  flops: 2.5 * causalFlops(size),
  prepare(device) {
    const { q, k, v } = inputs(device, size);
    const gradient = normal(device, q.shape);
    const { output, logSumExp } = attentionForward(q, k, v);
    const backward = () => attentionBackward(q, k, v, output, logSumExp, gradient);
    return {
      run: () => void backward(),
      async check() {
        const [x, y, z, g] = await Promise.all([q.read(), k.read(), v.read(), gradient.read()]);
        const expected = attentionGradientReference(asReference(size), x, y, z, g);
        const found = backward();
        for (const name of ["q", "k", "v"] as const)
          await checkSamples(`attention backward, ${name}`, found[name], expected[name]);
      },
    };
  },
});

/** On matrix units, beside f32. */
const mixedCase = (size: Heads): BenchCase => ({
  name: "attention mixed",
  shape: describe(size),
  flops: causalFlops(size),
  runsOn: ({ matrixUnits }) => matrixUnits.length > 0,
  prepare(device) {
    const { q, k, v } = inputs(device, size);
    const run = () => mixedOps(ops).attention(q, k, v);
    return {
      run,
      plain: () => attention(q, k, v),
      async check() {
        const exact = await attention(q, k, v).read();
        await checkSamples("attention mixed", run(), exact, 5e-3);
      },
    };
  },
});

export const decodeCase = (size: Heads): BenchCase => ({
  name: "attention decode",
  shape: `1 query, ${describe(size)}`,
  flops: 4 * size.batch * size.heads * size.length * size.width,
  bytes: 2 * 4 * size.batch * size.length * size.groups * size.width,
  prepare(device) {
    const given = inputs(device, size, 1);
    const run = () => attention(given.q, given.k, given.v);
    return {
      run,
      async check() {
        const [fused, plain] = await Promise.all([run().read(), unfused(given).read()]);
        if (fused.some((value, i) => !(Math.abs(value - plain[i]!) < 1e-4)))
          throw new Error("attention decode: the fused and the plain path differ");
      },
    };
  },
});

const ropeCase: BenchCase = {
  name: "rope",
  shape: "B1 T1024 H16 D64",
  bytes: 2 * 4 * 1024 * 16 * 64,
  prepare(device) {
    const x = normal(device, [1, 1024, 16, 64]);
    const inverseFrequencies = Array.from({ length: 32 }, (_, i) => 10_000 ** (-i / 32));
    const table = ropeTable(device, { positions: 1024, inverseFrequencies });
    const positions = device.tensor(
      Uint32Array.from({ length: 1024 }, (_, i) => i),
      [1, 1024],
      "u32",
      "positions",
    );
    return {
      run: () => rope(x, table, positions),
      async check() {
        const values = await x.read();
        await checkSamples("rope", rope(x, table, positions), (index) => {
          const [t, d] = [Math.floor(index / (16 * 64)), index % 64];
          const angle = t * inverseFrequencies[d % 32]!;
          const partner = d < 32 ? -values[index + 32]! : values[index - 32]!;
          return values[index]! * Math.cos(angle) + partner * Math.sin(angle);
        });
      },
    };
  },
};

export const attentionCases: readonly BenchCase[] = [
  ...prefill.map(forwardCase),
  ...prefill.map(backwardCase),
  ...prefill.map(mixedCase),
  ...decoding.map(decodeCase),
  ropeCase,
];
