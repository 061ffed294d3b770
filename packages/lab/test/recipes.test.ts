import { join } from "node:path";
import { methodNamed } from "@lethe/unlearn";
import { describe, expect, it, test } from "vitest";
import { identifyModel } from "../src/cells/identity.ts";
import { bundled, bundledRecipes } from "../src/commands/bundled.ts";
import { chooseRecipe, recordOf } from "../src/recipes/choose.ts";
import { differences, recipeChanges } from "../src/recipes/fields.ts";
import { readRecords } from "../src/recipes/read-records.ts";

const records = await readRecords(bundledRecipes);

describe("recipes on record", () => {
  test.each([
    [
      "llama",
      {
        graddiff: 5e-4,
        "graddiff+kl": 5e-4,
        npo: 8e-4,
        "npo+kl": 8e-4,
        "npo+gd": 8e-4,
        dpo: 2.4e-3,
        "dpo+retain": 8e-4,
        ga: 4e-4,
        rmu: 4e-4,
      },
    ],
    ["olmo", { graddiff: 8e-4, npo: 1.4e-3, "npo+kl": 1.4e-3, dpo: 1.4e-3 }],
  ] as const)("hold for the bundled %s", async (family, rates) => {
    const sha256 = await identifyModel(bundled[family].directory);
    for (const [name, learningRate] of Object.entries(rates))
      expect(chooseRecipe(methodNamed(name), sha256, 10, { records, changes: {} })).toMatchObject({
        ...{ learningRate, epochs: 10, steps: null },
        ...{ stepsPerEpoch: 4, gradientAccumulation: 1, checkpointing: false },
      });
  });

  test("have the rate that their evidence chose, or say why not", () => {
    for (const { methods } of records)
      for (const { recipe, evidence, note } of Object.values(methods)) {
        expect(evidence.reached && evidence.chosen === recipe.learningRate).toBe(note === undefined);
        expect(evidence.tries.map(({ learningRate }) => learningRate)).toContain(recipe.learningRate);
      }
  });

  it("go before the published rate and the preset, and after what the person asks for", () => {
    const sha256 = "a".repeat(64);
    const npo = methodNamed("npo");
    const { evidence } = recordOf(records, records[0]!.model.sha256, "npo")!;
    const found = { recipe: { learningRate: 3e-5, steps: 12 }, evidence };
    const own = [{ model: { name: "own", sha256 }, methods: { npo: found } }];
    const choose = (changes: object, known = own) => chooseRecipe(npo, sha256, 10, { records: known, changes });
    expect(choose({}, [])).toMatchObject({ learningRate: npo.rate, epochs: 10, steps: null });
    expect(choose({})).toMatchObject({ learningRate: 3e-5, epochs: 10, steps: 12 });
    expect(choose({ learningRate: 1e-4 })).toMatchObject({ learningRate: 1e-4, steps: 12 });
    expect(choose({ epochs: 2 })).toMatchObject({ epochs: 2, steps: null });
    expect(choose({ epochs: 2, steps: 5 })).toMatchObject({ epochs: 2, steps: 5 });
    expect(recordOf(own, sha256, "graddiff")).toBeUndefined();
    // What is kept of a recipe is what differs from the defaults, and gives the recipe back.
    const recipe = choose({ beta2: 0.95, checkpointing: false });
    const kept = recipeChanges.parse(differences(recipe));
    expect(kept).toEqual({ learningRate: 3e-5, steps: 12, beta2: 0.95, checkpointing: false });
  });

  it("are read from a folder, which need not be there", async () => {
    expect(records.map(({ model }) => model.name)).toEqual(expect.arrayContaining(["tiny-llama", "tiny-olmo"]));
    expect(await readRecords(join(bundledRecipes, "absent"))).toEqual([]);
    await expect(readRecords(join(bundledRecipes, ".."))).rejects.toThrow(/\.json is no recipe on record/);
  });
});
