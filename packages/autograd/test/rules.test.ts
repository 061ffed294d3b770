import { type F32, type OpName, ops } from "@lethe/tensor";
import { type Case, callOf, cases, type Operand } from "@lethe/testing/cases";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { slope } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { rules } from "../src/rules/index.ts";
import { Tape } from "../src/tape.ts";

const device = await testDevice();

type AnyCall = (...operands: readonly unknown[]) => unknown;

const toDevice = ({ values, shape, dtype }: Operand) => device.tensor(values, shape, dtype, "operand");
const toFloat64 = ({ values, shape }: Operand) => array64(shape, Array.from(values));

/**
 * Gradients of `Σ seed · op(…)` by the tape, for the operands whose indices are in `watched`. The call's operands and its output are
 * released before backward starts. So a rule fails if it reads a tensor that it did not save.
 */
async function gradients(call: Case, seed: readonly number[], watched: readonly number[]) {
  using tape = new Tape(ops);
  const parameters = watched.map((i) => toDevice(call.operands[i]!) as F32);
  tape.watch(parameters);
  const output = device.scoped("forward", () => {
    const given = callOf(call, toDevice);
    for (const [k, i] of watched.entries()) given[i] = tape.ops.affine(parameters[k]!, {});
    return tape.ops.affine((tape.ops[call.op] as AnyCall)(...given) as F32, {});
  });
  const found = tape.backward(output, { seed: device.tensor(seed, output.shape, "f32", "seed") });
  return Promise.all(parameters.map((parameter) => found.get(parameter)!.read()));
}

describe("each rule agrees with central differences of a float64 reference", () => {
  const named = cases.map((call): [string, Case] => {
    const shapes = call.operands.map((operand) => (operand ? `[${operand.shape}]` : "null")).join(" ");
    return [`${call.op} ${shapes} ${JSON.stringify(call.options ?? {}).slice(0, 60)}`, call];
  });

  test.each(named)("%s", async (_, call) => {
    const truth = callOf(call, toFloat64);
    const forward = () => (float64Ops[call.op] as AnyCall)(...truth) as Array64;
    const seed = [...normal(forward().data.length)];
    const objective = () => forward().data.reduce((sum, value, i) => sum + value * seed[i]!, 0);
    const differentiated = call.operands.flatMap((operand, i) =>
      operand?.dtype === "f32" && !operand.frozen ? [i] : [],
    );

    const found = await gradients(call, seed, differentiated);
    for (const [k, i] of differentiated.entries()) {
      const x = truth[i] as Array64;
      const expected = Array.from(x.data, (_, element) => slope(objective, x.data, element));
      expectClose(found[k]!, expected, { label: `gradient of operand ${i}` });
      const [alone] = await gradients(call, seed, [i]);
      expect(alone, `operand ${i} watched alone`).toEqual(found[k]);
    }
  });

  test("every operation has a case", () => {
    const covered = new Set<OpName>(cases.map(({ op }) => op));
    expect(Object.keys(rules).filter((op) => !covered.has(op as OpName))).toEqual([]);
  });
});
