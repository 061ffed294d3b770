import type { Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { describe, expect, test } from "vitest";
import { selectTrainable } from "../../src/index.ts";

const device = await testDevice();

function weights(): Map<string, Tensor> {
  const matrix = () =>
    device.tensor(
      Array.from({ length: 12 }, () => 0),
      [3, 4],
      "f32",
      "matrix",
    );
  const embedding = matrix();
  const blocks = [0, 1, 11].flatMap((layer): [string, Tensor][] => [
    [`model.layers.${layer}.mlp.up_proj.weight`, matrix()],
    [`model.layers.${layer}.mlp.down_proj.weight`, matrix()],
  ]);
  return new Map([["model.embed_tokens.weight", embedding], ...blocks, ["lm_head.weight", embedding]]);
}

const names = (chosen: readonly { name: string }[]) => chosen.map(({ name }) => name);

describe("what is trained", () => {
  test("everything, a tied matrix once", () => {
    expect(selectTrainable(weights(), "all")).toHaveLength(7);
  });

  test("the value vectors of every layer", () => {
    expect(names(selectTrainable(weights(), "all_value_vectors"))).toEqual(
      [0, 1, 11].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`),
    );
  });

  test("one value vector, of the layer asked for and not of one that begins like it", () => {
    const [needle, ...others] = selectTrainable(weights(), { needle: { layer: 1, dim: 3 } });
    expect(others).toEqual([]);
    expect(needle).toMatchObject({ name: "model.layers.1.mlp.down_proj.weight", column: 3 });
  });

  test("a needle that is not there is refused", () => {
    expect(() => selectTrainable(weights(), { needle: { layer: 2, dim: 0 } })).toThrow(/no weight is named/);
    expect(() => selectTrainable(weights(), { needle: { layer: 1, dim: 4 } })).toThrow(/value vectors 0 to 3/);
  });

  test("packed weights are refused by name", () => {
    const packed = new Map([["lm_head.weight", device.tensor([1, 2], [1, 2], "bf16", "head")]]);
    expect(() => selectTrainable(packed, "all")).toThrow(/lm_head.weight is bf16/);
  });
});
