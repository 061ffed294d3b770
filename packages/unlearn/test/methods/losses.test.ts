import { readFileSync } from "node:fs";
import { Tape } from "@lethe/autograd";
import { type F32, type Ops, ops, type Shape, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import { gradientDifference, methodNamed, npo, type Objective, type TokenPiece, tokenNll } from "../../src/index.ts";

type Role = "forget" | "retain";

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

const objectives: Readonly<Record<string, Objective>> = {
  nll: { reads: ["forget"], loss: (ops, { forget }) => tokenNll(ops, forget) },
  "graddiff-nll": gradientDifference.objective!({ retain: "nll", retainWeight: 1.5 }),
  "graddiff-kl": gradientDifference.objective!({ retain: "kl", retainWeight: 1 }),
  npo: npo.objective!({ beta: 0.1 }),
  "npo-large-beta": npo.objective!({ beta: 1.5 }),
};

/** A pass whose logits are given rather than computed, so that gradients are seen with respect to them. */
function passOf(ops: Ops, { shape, logits, labels }: GoldenBatch, given = device.tensor(logits, shape) as F32) {
  const [, columns, width] = shape as [number, number, number];
  const rows = [...labels.keys()].filter((row) => labels[row] !== -100);
  const list = <D extends "u32" | "i32">(values: number[], dtype: D) => device.tensor(values, [values.length], dtype);
  return {
    given,
    labels: device.tensor(labels, shape.slice(0, -1), "i32", "labels") as Tensor<Shape, "i32">,
    sequences: list(
      rows.map((row) => Math.floor(row / columns)),
      "u32",
    ),
    perToken(compute: (logits: F32, piece: TokenPiece) => F32) {
      const counted = ops.gatherRows(ops.reshape(given, { shape: [labels.length, width] }), list(rows, "u32"));
      const piece = list(
        rows.map((row) => labels[row]!),
        "i32",
      );
      return compute(counted, { labels: piece, start: 0, end: rows.length });
    },
    logits: () => given,
    at: () => expect.unreachable("this loss reads logits alone"),
  };
}

describe.each(golden.cases.map((c) => [c.pad, c] as const))(
  "padded on the %s, torch's values",
  (_, { losses, ...sides }) => {
    test.each(Object.keys(losses))("%s", async (name) => {
      const expected = losses[name]!;
      const objective = objectives[name]!;
      using tape = new Tape(ops);
      const passes = Object.fromEntries(
        (["forget", "retain"] as const).map((role) => {
          const { shape, reference: logits } = sides[role];
          const before = passOf(ops, sides[role], device.tensor(logits, shape) as F32);
          const reference = objective.reference?.[role]?.(ops, before);
          return [role, { ...passOf(tape.ops, sides[role]), reference: reference as F32 }];
        }),
      ) as Record<Role, ReturnType<typeof passOf> & { reference: F32 }>;
      tape.watch([passes.forget.given, passes.retain.given]);
      const loss = device.scoped("forward", () => objective.loss(tape.ops, { ...passes, preferred: passes.retain }));
      const gradients = tape.backward(loss);
      expectClose([await loss.item()], [expected.loss], { label: "loss" });
      for (const role of ["forget", "retain"] as const) {
        const gradient = await gradients.get(passes[role].given)?.read();
        expect(gradient === undefined, `${role} text has a gradient`).toBe(expected[role] === null);
        if (gradient) expectClose(gradient, expected[role]!, { label: `gradient of the ${role} logits` });
      }
    });
  },
);

test("the options' defaults are those of the released code", () => {
  expect(gradientDifference.options.parse({})).toEqual({ retain: "nll", retainWeight: 1.5 });
  expect(npo.options.parse({})).toEqual({ beta: 0.1 });
});

test("an unknown method is an error that names the nearest", () => {
  expect(methodNamed("npo")).toBe(npo);
  expect(() => methodNamed("gradiff")).toThrow('there is no method "gradiff"; "graddiff" comes nearest');
});
