import {
  attendWithPattern,
  attention,
  attentionBackward,
  attentionForward,
  attentionPattern,
  rope,
  ropeTable,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { checkSamples, normal } from "../inputs.ts";

interface Heads {
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

const describe = ({ batch, length, heads, groups, width }: Heads) =>
  `B${batch} T${length} H${heads}/${groups} D${width}`;

// Half the scores are masked away.
const causalFlops = ({ batch, length, heads, width }: Heads) => 2 * batch * heads * length * length * width;

/** Output of one query in float64, as the kernels' check. */
function reference(q: Float32Array, k: Float32Array, v: Float32Array, { length, heads, groups, width }: Heads) {
  return (index: number) => {
    const d = index % width;
    const head = Math.floor(index / width) % heads;
    const t = Math.floor(index / (width * heads)) % length;
    const b = Math.floor(index / (width * heads * length));
    const group = Math.floor(head / (heads / groups));
    const key = (s: number) => ((b * length + s) * groups + group) * width;
    const query = ((b * length + t) * heads + head) * width;
    const scores = Array.from({ length: t + 1 }, (_, s) => {
      let dot = 0;
      for (let i = 0; i < width; i++) dot += q[query + i]! * k[key(s) + i]!;
      return Math.exp(dot / Math.sqrt(width));
    });
    const total = scores.reduce((sum, score) => sum + score, 0);
    return scores.reduce((sum, score, s) => sum + score * v[key(s) + d]!, 0) / total;
  };
}

const forwardCases = prefill.map(
  (size): BenchCase => ({
    name: "attention",
    shape: describe(size),
    flops: causalFlops(size),
    prepare(device) {
      const { batch, length, heads, groups, width } = size;
      const q = normal(device, [batch, length, heads, width]);
      const k = normal(device, [batch, length, groups, width]);
      const v = normal(device, [batch, length, groups, width]);
      return {
        run: () => attention(q, k, v),
        plain: () => attendWithPattern(attentionPattern(q, k, {}), v),
        async check() {
          const [x, y, z] = await Promise.all([q.read(), k.read(), v.read()]);
          await checkSamples("attention", attention(q, k, v), reference(x, y, z, size));
        },
      };
    },
  }),
);

const backwardCases = prefill.map(
  (size): BenchCase => ({
    name: "attention backward",
    shape: describe(size),
    flops: 2.5 * causalFlops(size),
    prepare(device) {
      const { batch, length, heads, groups, width } = size;
      const q = normal(device, [batch, length, heads, width]);
      const k = normal(device, [batch, length, groups, width]);
      const v = normal(device, [batch, length, groups, width]);
      const gradient = normal(device, [batch, length, heads, width]);
      const { output, logSumExp } = attentionForward(q, k, v, {});
      const backward = () => attentionBackward(q, k, v, output, logSumExp, gradient, {});
      return {
        run: () => void backward(),
        async check() {
          // The sum of v's gradient over keys is that of the output's over queries: attention weights sum to one.
          const [dv, dOut] = await Promise.all([backward().v.read(), gradient.read()]);
          const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);
          const [got, want] = [total(dv), total(dOut)];
          if (!(Math.abs(got - want) <= 1e-4 * Math.sqrt(dv.length) * 10))
            throw new Error(`attention backward: gradients of v sum to ${got}, expected ${want}`);
        },
      };
    },
  }),
);

const decoding: Heads[] = [
  { batch: 1, length: 2048, heads: 8, groups: 2, width: 64 },
  { batch: 10, length: 128, heads: 4, groups: 4, width: 16 },
];

const decodeCases = decoding.map(
  (size): BenchCase => ({
    name: "attention decode",
    shape: `1 query, ${describe(size)}`,
    flops: 4 * size.batch * size.heads * size.length * size.width,
    bytes: 2 * 4 * size.batch * size.length * size.groups * size.width,
    prepare(device) {
      const { batch, length, heads, groups, width } = size;
      const q = normal(device, [batch, 1, heads, width]);
      const k = normal(device, [batch, length, groups, width]);
      const v = normal(device, [batch, length, groups, width]);
      return {
        run: () => attention(q, k, v),
        async check() {
          const [fused, unfused] = await Promise.all([
            attention(q, k, v).read(),
            attendWithPattern(attentionPattern(q, k, {}), v).read(),
          ]);
          if (fused.some((value, i) => !(Math.abs(value - unfused[i]!) < 1e-4)))
            throw new Error("attention decode: the fused and the plain path differ");
        },
      };
    },
  }),
);

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

export const attentionCases: readonly BenchCase[] = [...forwardCases, ...backwardCases, ...decodeCases, ropeCase];
