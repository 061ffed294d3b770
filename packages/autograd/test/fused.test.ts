import {
  castInto,
  type F32,
  fusedOf,
  type NormFirst,
  type Ops,
  ops,
  type Shape,
  ShapeError,
  type Tensor,
  together,
} from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { slope } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { afterEach, describe, expect, test } from "vitest";
import { Tape } from "../src/tape.ts";

const device = await testDevice();

/** Operands of a fused operation by name: their shapes, and groups of them that lie adjacent. */
interface FusedCase {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly groups: readonly (readonly string[])[];
  /** By the fused operation. */
  fused(ops: NonNullable<ReturnType<typeof fusedOf>>, given: Readonly<Record<string, F32>>): F32;
  /** By the plain ones that it stands for. */
  plain(ops: Ops, given: Readonly<Record<string, F32>>): F32;
}

const [batch, length, d, heads, groups, width, n] = [2, 5, 16, 2, 1, 8, 12];
const starts = [0, 2];
const positions = starts.flatMap((start) => Array.from({ length }, (_, t) => Math.max(0, t - start)));
const table = Array.from({ length }, (_, p) => Array.from({ length: width / 2 }, (_, i) => p * 0.3 ** i)).flatMap(
  (row) => [...row.map(Math.cos), ...row.map(Math.sin)].map(Math.fround),
);
const norms: readonly (NormFirst | undefined)[] = [undefined, { kind: "rms", eps: 1e-5 }, { kind: "layer", eps: 1e-5 }];

function normalized(ops: Ops, { x, weight }: Readonly<Record<string, F32>>, norm: NormFirst | undefined): F32 {
  if (!norm) return x!;
  const { kind, eps } = norm;
  return kind === "rms" ? ops.rmsNorm(x!, weight ?? null, { eps }) : ops.layerNorm(x!, weight ?? null, null, { eps });
}

const given = {
  onDevice: () => ({
    table: device.tensor(table, [length, width]),
    positions: device.tensor(positions, [batch, length], "u32"),
    starts: device.tensor(starts, [batch], "u32"),
  }),
  inFloat64: () => ({
    table: array64([length, width], table),
    positions: array64([batch, length], positions),
    starts: array64([batch], starts),
  }),
};
type Given = { readonly table: F32; readonly positions: Tensor<Shape, "u32">; readonly starts: Tensor<Shape, "u32"> };

function casesOf(norm: NormFirst | undefined, weighted: boolean): Readonly<Record<string, FusedCase>> {
  const normWeight = weighted ? { weight: [d] } : {};
  const constants = (ops: Ops) => (ops === (float64Ops as unknown) ? given.inFloat64() : given.onDevice()) as Given;
  return {
    selfAttention: {
      shapes: {
        ...{ x: [batch, length, d], ...normWeight },
        ...{ query: [heads * width, d], key: [groups * width, d], value: [groups * width, d] },
      },
      groups: [["query", "key", "value"]],
      fused: (fused, { x, weight = null, query, key, value }) => {
        const { table, positions, starts } = constants(ops);
        const options = { norm, heads, groups, starts };
        return fused.selfAttention(x!, weight, query!, key!, value!, table, positions, options);
      },
      plain(ops, operands) {
        const { table, positions, starts } = constants(ops);
        const input = normalized(ops, operands, norm);
        const project = (name: string, count: number) =>
          ops.reshape(ops.linear(input, operands[name]! as never) as F32, {
            shape: [batch, length, count, width],
          }) as F32;
        const turn = (heads: F32) => ops.rope(heads, table, positions);
        const [q, k] = [turn(project("query", heads)), turn(project("key", groups))];
        return ops.attention(q, k, project("value", groups), { starts });
      },
    },
    gatedLinear: {
      shapes: { x: [3, 7, d], ...normWeight, gate: [n, d], up: [n, d] },
      groups: [["gate", "up"]],
      fused: (fused, { x, weight = null, gate, up }) => fused.gatedLinear(x!, weight, gate!, up!, { norm }),
      plain(ops, operands) {
        const input = normalized(ops, operands, norm);
        const project = (name: string) => ops.linear(input, operands[name]! as never) as F32;
        return ops.swiglu(project("gate"), project("up"));
      },
    },
    ...(norm && {
      normLinear: {
        shapes: { x: [13, d], ...normWeight, matrix: [n, d] },
        groups: [],
        fused: (fused, { x, weight = null, matrix }) => fused.normLinear(x!, weight, matrix!, { norm }),
        plain: (ops, operands) => ops.linear(normalized(ops, operands, norm), operands.matrix! as never) as F32,
      } satisfies FusedCase,
    }),
    ...(!norm && {
      linearAdd: {
        shapes: { x: [2, 7, d], matrix: [n, d], residual: [2, 7, n] },
        groups: [],
        fused: (fused, { x, matrix, residual }) => fused.linearAdd(x!, matrix!, residual!),
        plain: (ops, { x, matrix, residual }) => ops.add(residual!, ops.linear(x!, matrix! as never) as never) as F32,
      } satisfies FusedCase,
    }),
  };
}

const cases = norms.flatMap((norm) =>
  (norm ? [true, false] : [false]).flatMap((weighted) =>
    Object.entries(casesOf(norm, weighted)).map(
      ([name, call]) => [name, norm?.kind ?? "no", weighted ? "weighted" : "unweighted", call] as const,
    ),
  ),
);

const lasting: Tensor[] = [];
afterEach(() => {
  for (const tensor of lasting.splice(0)) tensor.dispose();
});

/** The operands on the device, each with fresh handles: those of a group lie adjacent. */
function place(
  { shapes, groups }: FusedCase,
  values: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, F32> {
  const parts = groups.map((names) => names.map((label) => ({ label, shape: shapes[label]! })));
  const grouped = groups.length > 0 ? (together(device, parts, "f32") as F32[]) : [];
  for (const tensor of grouped) castInto(tensor, device.tensor(values[tensor.label]!, tensor.shape));
  lasting.push(...grouped);
  const named = new Map(grouped.map((tensor) => [tensor.label, tensor]));
  const entries = Object.entries(shapes).map(([name, shape]) => [
    name,
    named.get(name) ?? device.tensor(values[name]!, shape),
  ]);
  return Object.fromEntries(entries);
}

describe.each(cases)("%s with %s norm, %s", (_name, _norm, _weighted, call) => {
  const names = Object.keys(call.shapes);
  const fresh = () =>
    Object.fromEntries(
      Object.entries(call.shapes).map(([name, shape]) => [
        name,
        // Matrices keep what they multiply of order 1.
        normal(
          shape.reduce((product, dim) => product * dim, 1),
          shape.length === 2 && name !== "x" ? 1 / Math.sqrt(d) : 1,
        ),
      ]),
    );

  test("agrees with the plain operations, and its gradients with central differences in float64", async () => {
    const values = fresh();
    const truth = Object.fromEntries(names.map((name) => [name, array64(call.shapes[name]!, values[name]!)]));
    const forward = () => call.plain(float64Ops as never, truth as never) as unknown as Array64;
    const expected = forward().data;
    const seed = normal(expected.length);
    const objective = () => forward().data.reduce((sum, value, i) => sum + value * seed[i]!, 0);

    const operands = place(call, values);
    expectClose(await call.fused(fusedOf(ops)!, operands).read(), expected, { label: "value" });
    const found = gradientsOf(call, operands, seed, names);
    for (const name of names) {
      const slopes = Array.from(truth[name]!.data, (_, i) => slope(objective, truth[name]!.data, i));
      expectClose(await found.get(operands[name]!)!.read(), slopes, { label: `gradient of ${name}`, atol: 2e-5 });
    }
  });

  test("gives each gradient alone too, and adds to gradients that are there", async () => {
    const operands = place(call, fresh());
    const seed = normal(call.fused(fusedOf(ops)!, operands).size);
    const all = gradientsOf(call, operands, seed, names);
    for (const name of names) {
      const alone = gradientsOf(call, operands, seed, [name]);
      expectClose(await alone.get(operands[name]!)!.read(), await all.get(operands[name]!)!.read(), { label: name });
    }
    const once = await Promise.all(names.map((name) => all.get(operands[name]!)!.read()));
    gradientsOf(call, operands, seed, names, all);
    for (const [i, name] of names.entries())
      expectClose(
        await all.get(operands[name]!)!.read(),
        once[i]!.map((value) => 2 * value),
        { label: name },
      );
  });
});

function gradientsOf(
  call: FusedCase,
  operands: Readonly<Record<string, F32>>,
  seed: Float32Array,
  watched: readonly string[],
  into = new Map<Tensor, F32>(),
): Map<Tensor, F32> {
  using tape = new Tape(ops);
  tape.watch(watched.map((name) => operands[name]!));
  const output = device.scoped("forward", () => call.fused(fusedOf(tape.ops)!, operands));
  return tape.backward(output, { seed: device.tensor(seed, output.shape, "f32", "seed"), into });
}

test("an Ops over another offers no fused operation", () => {
  expect(fusedOf(ops)).not.toBeNull();
  expect(fusedOf({ ...ops })).toBeNull();
  expect(fusedOf(new Tape({ ...ops }).ops)).toBeNull();
});

test("weights that do not lie adjacent are refused", () => {
  const [x, gate, up] = [device.empty([3, d]), device.empty([n, d]), device.empty([n, d])];
  expect(() => fusedOf(ops)!.gatedLinear(x, null, gate, up, {})).toThrow(ShapeError);
});
