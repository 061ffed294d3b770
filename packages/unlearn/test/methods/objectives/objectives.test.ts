import { readFileSync } from "node:fs";
import { Tape } from "@lethe/autograd";
import { type F32, LetheError, type Ops, ops, type Shape, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import {
  gradientDifference,
  npo,
  type Objective,
  type Role,
  referenceOf,
  tokenNll,
} from "../../../src/methods/objectives/index.ts";

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

const negativeLogLikelihood: Objective = {
  name: "nll",
  roles: ["forget"],
  needs: {},
  loss: (on: Ops, { forward, batches }) => tokenNll(on, forward, batches.forget!),
};

const objectives: Readonly<Record<string, Objective>> = {
  nll: negativeLogLikelihood,
  "graddiff-nll": gradientDifference({ retain: "nll", retainWeight: 1.5 }),
  "graddiff-kl": gradientDifference({ retain: "kl", retainWeight: 1 }),
  npo: npo({ beta: 0.1 }),
  "npo-large-beta": npo({ beta: 1.5 }),
};

/** A batch whose logits are given rather than computed, so that gradients are seen with respect to them. */
function batchOf({ shape, logits, reference, labels }: GoldenBatch) {
  return {
    logits: device.tensor(logits, shape, "f32", "logits") as F32,
    reference: device.tensor(reference, shape, "f32", "reference") as F32,
    labels: device.tensor(labels, shape.slice(0, -1), "i32", "labels") as Tensor<Shape, "i32">,
  };
}

describe.each(golden.cases.map((c) => [c.pad, c] as const))(
  "padded on the %s, torch's values",
  (_, { losses, ...sides }) => {
    test.each(Object.keys(losses))("%s", async (name) => {
      const expected = losses[name]!;
      const objective = objectives[name]!;
      const batches = { forget: batchOf(sides.forget), retain: batchOf(sides.retain) };
      const reference = referenceOf(ops, objective, { forward: (batch) => batch.reference, batches });
      using tape = new Tape(ops);
      tape.watch([batches.forget.logits, batches.retain.logits]);
      const loss = device.scoped("forward", () =>
        objective.loss(tape.ops, { forward: (batch) => batch.logits, batches, reference }),
      );
      const gradients = tape.backward(loss);
      expectClose([await loss.item()], [expected.loss], { label: "loss" });
      for (const role of ["forget", "retain"] as const) {
        const gradient = await gradients.get(batches[role].logits)?.read();
        expect(gradient === undefined, `${role} text has a gradient`).toBe(expected[role] === null);
        if (gradient) expectClose(gradient, expected[role]!, { label: `gradient of the ${role} logits` });
      }
    });
  },
);

test("an objective says what it was not given", () => {
  const batches = { forget: batchOf(golden.cases[0]!.forget), retain: batchOf(golden.cases[0]!.retain) };
  const forward = (batch: { logits: F32 }) => batch.logits;
  const missing = (objective: Objective, given: Partial<typeof batches>) => () =>
    objective.loss(ops, { forward: forward as never, batches: given });
  expect(missing(npo({ beta: 0.1 }), batches)).toThrow(/npo: it compares with the reference model on forget text/);
  expect(missing(objectives["graddiff-kl"]!, batches)).toThrow(/graddiff: it compares .* on retain text/);
  expect(missing(objectives["graddiff-nll"]!, { forget: batches.forget })).toThrow(LetheError);
});
