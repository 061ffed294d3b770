import { readFileSync } from "node:fs";
import { Tape } from "@lethe/autograd";
import { type F32, type Ops, ops, type Shape, type Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import {
  dpo,
  gradientDifference,
  methodNamed,
  methods,
  npo,
  type Objective,
  type Role,
  rmu,
  roles,
  simnpo,
  type TokenPiece,
  type TrainedPass,
  undial,
} from "../../src/index.ts";

interface GoldenBatch {
  readonly shape: readonly number[];
  readonly logits: readonly number[];
  readonly reference: readonly number[];
  readonly labels: readonly number[];
}

interface GoldenCase extends Readonly<Record<Role, GoldenBatch>> {
  readonly pad: string;
  readonly losses: Readonly<Record<string, { loss: number } & Readonly<Record<Role, readonly number[] | null>>>>;
}

const golden = JSON.parse(readFileSync(new URL("golden/losses.json", import.meta.url), "utf8")) as {
  cases: readonly GoldenCase[];
};

const device = await testDevice();

const defaults = { retain: "none", retainWeight: 1 } as const;
/** Every method with its defaults, and some with other options. */
const objectives: Readonly<Record<string, Objective>> = {
  ...Object.fromEntries(methods.map(({ name, options, objective }) => [name, objective!(options.parse({}))])),
  "dpo, beta 1.5": dpo.objective!({ beta: 1.5, preferred: "refusal" }),
  "npo, beta 1.5": npo.objective!({ ...defaults, beta: 1.5 }),
  "simnpo, delta 2": simnpo.objective!({ beta: 1.5, delta: 2, forgetWeight: 0.5, retain: "nll", retainWeight: 0.75 }),
  "rmu, length 20": rmu.objective!({ layer: 7, length: 20, retainWeight: 0.5, weights: "all", seed: 0 }),
  "undial, beta 1, retain": undial.objective!({ beta: 1, retain: "kl", retainWeight: 0.5 }),
};

/** How far a loss, or a gradient in the Euclidean norm, may be from torch's in float64, relative to it. */
const RELATIVE_ERROR = 2e-6;

function expectNear(actual: ArrayLike<number>, expected: readonly number[], label: string): void {
  const norm = (values: readonly number[]) => Math.hypot(...values);
  const error = norm(expected.map((value, i) => actual[i]! - value)) / norm(expected);
  expect(error, `relative error of the ${label}`).toBeLessThan(RELATIVE_ERROR);
}

/** A pass whose logits, or whatever passes a hook point, are given rather than computed: gradients are seen with respect to them. */
function passOf(ops: Ops, { shape, logits, labels }: GoldenBatch, given = device.tensor(logits, shape) as F32) {
  const [, columns, width] = shape as [number, number, number];
  const rows = [...labels.keys()].filter((row) => labels[row] !== -100);
  const list = <D extends "u32" | "i32">(values: number[], dtype: D) => device.tensor(values, [values.length], dtype);
  const counted = () =>
    ops.gatherRows(ops.reshape(given, { shape: [labels.length, width] as const }), list(rows, "u32"));
  return {
    given,
    labels: device.tensor(labels, shape.slice(0, -1), "i32", "labels") as Tensor<Shape, "i32">,
    sequences: list(
      rows.map((row) => Math.floor(row / columns)),
      "u32",
    ),
    tokenLosses() {
      return this.perToken((logits, piece) => ops.crossEntropy(logits, piece.labels, { reduction: "none" }));
    },
    perToken(compute: (logits: F32, piece: TokenPiece) => F32) {
      const piece = list(
        rows.map((row) => labels[row]!),
        "i32",
      );
      return compute(counted(), { labels: piece, start: 0, end: rows.length });
    },
    atTokens: counted,
    logits: () => given,
    at: () => expect.unreachable("no method reads positions that do not count"),
  };
}

describe.each(golden.cases.map((c) => [c.pad, c] as const))(
  "padded on the %s, torch's values",
  (_, { losses, ...sides }) => {
    test("are of every method", () => expect(Object.keys(losses)).toEqual(Object.keys(objectives)));

    test.each(Object.keys(losses))("%s", async (name) => {
      const expected = losses[name]!;
      const objective = objectives[name]!;
      using tape = new Tape(ops);
      const passes = Object.fromEntries(
        roles.map((role) => {
          const { shape, reference: logits } = sides[role];
          const before = passOf(ops, sides[role], device.tensor(logits, shape) as F32);
          const reference = objective.reference?.[role]?.(ops, before) as F32;
          const referenceRows = (start: number, end: number) => ops.slice(reference, { axis: 0, start, end });
          const referenceShape = reference?.shape;
          return [role, { ...passOf(tape.ops, sides[role]), reference, referenceShape, referenceRows }];
        }),
      ) as Record<Role, ReturnType<typeof passOf> & Pick<TrainedPass, `reference${string}` & keyof TrainedPass>>;
      tape.watch(roles.map((role) => passes[role].given));
      const loss = device.scoped("forward", () => objective.loss(tape.ops, passes));
      const gradients = tape.backward(loss);
      const values = [loss, ...roles.map((role) => gradients.get(passes[role].given))].map((tensor) => tensor?.read());
      const [value, ...found] = await Promise.all(values);
      expectNear(value!, [expected.loss], "loss");
      for (const [i, role] of roles.entries()) {
        expect(found[i] === undefined, `${role} text has no gradient`).toBe(expected[role] === null);
        if (found[i]) expectNear(found[i], expected[role]!, `gradient of the ${role} text`);
      }
      expect(Object.keys(objective.reference ?? {}).every((role) => objective.reads.includes(role as Role))).toBe(true);
      expect(roles.filter((role) => expected[role] !== null)).toEqual(
        roles.filter((role) => objective.reads.includes(role)),
      );
    });
  },
);

const defaultsOf = (name: string) => methodNamed(name).options.parse({});

test("the options' defaults are the published ones", () => {
  expect(defaultsOf("graddiff")).toEqual({ retain: "nll", retainWeight: 1.5 });
  expect(defaultsOf("graddiff+kl")).toEqual({ retain: "kl", retainWeight: 1 });
  expect(defaultsOf("npo")).toEqual({ beta: 0.1, retain: "none", retainWeight: 1 });
  expect(defaultsOf("npo+kl")).toEqual({ beta: 0.1, retain: "kl", retainWeight: 1 });
  expect(defaultsOf("npo+gd")).toEqual({ beta: 0.1, retain: "nll", retainWeight: 1 });
  expect(defaultsOf("dpo")).toEqual({ beta: 0.1, preferred: "refusal" });
  expect(defaultsOf("dpo+retain")).toEqual({ beta: 0.1, preferred: "retain" });
  expect(defaultsOf("simnpo")).toEqual({ beta: 4.5, delta: 0, forgetWeight: 0.125, retain: "nll", retainWeight: 1 });
  expect(defaultsOf("rmu")).toEqual({ layer: 7, length: 2, retainWeight: 1, weights: "all", seed: 0 });
  expect(defaultsOf("undial")).toEqual({ beta: 10, retain: "none", retainWeight: 1 });
});

test("a variant refuses what its method refuses, by its own name", () => {
  const { options, objective } = methodNamed("npo+kl");
  expect(() => options.parse({ bata: 1 })).toThrow("bata");
  expect(() => objective!({ beta: -1 })).toThrow("options of npo+kl: beta: ");
});

test("an unknown method is an error that names the nearest", () => {
  expect(methodNamed("npo")).toBe(npo);
  expect(methodNamed("graddiff")).toBe(gradientDifference);
  expect(() => methodNamed("gradiff")).toThrow('there is no method "gradiff"; "graddiff" comes nearest');
});
