import type { Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import { selectTrainable } from "../../src/index.ts";

const device = await testDevice();

function weights(): Map<string, Tensor> {
  const matrix = () => device.tensor(new Float32Array(12), [3, 4], "f32", "matrix");
  const embedding = matrix();
  return new Map([
    ["embed.weight", embedding],
    ["up.weight", matrix()],
    ["down.weight", matrix()],
    ["head.weight", embedding],
  ]);
}

const label = "the filter";
const names = (chosen: readonly { name: string }[]) => chosen.map(({ name }) => name);

describe("the parameters that are trained", () => {
  test("are all of them without a filter, a tied matrix once", () => {
    expect(names(selectTrainable(weights()))).toEqual(["embed.weight", "up.weight", "down.weight"]);
  });

  test("are those that the filter accepts, or a column of each", () => {
    const accepts = (name: string) => name.startsWith("d");
    expect(selectTrainable(weights(), { label, accepts })).toEqual([expect.not.objectContaining({ column: 3 })]);
    const [needle, ...others] = selectTrainable(weights(), { label, accepts, column: 3 });
    expect(others).toEqual([]);
    expect(needle).toMatchObject({ name: "down.weight", column: 3 });
  });

  test("cannot be none, nor a column that is not there, nor packed", () => {
    const nothing = { label, accepts: () => false };
    expect(() => selectTrainable(weights(), nothing)).toThrow("the filter: none of the weights is to be trained");
    for (const column of [-1, 1.5, 4])
      expect(() => selectTrainable(weights(), { label, accepts: () => true, column })).toThrow(
        `the filter: embed.weight has columns 0 to 3, and column ${column} was asked for`,
      );
    const packed = new Map([["head.weight", device.tensor([1, 2], [1, 2], "bf16", "head")]]);
    expect(() => selectTrainable(packed)).toThrow(/head.weight is bf16/);
  });
});
