import { expect, test } from "vitest";
import { rankAgreement } from "../../src/index.ts";

test("has Spearman's correlation of each two attributions, by their names", () => {
  const table = rankAgreement({
    deletion: [3, 1, 2],
    gradient: [30, 10, 20],
    attention: [1, 3, 2],
    constant: [1, 1, 1],
  });
  expect(Object.keys(table)).toEqual(["deletion", "gradient", "attention", "constant"]);
  expect(table.deletion.gradient).toBeCloseTo(1, 14);
  expect(table.gradient.attention).toBeCloseTo(-1, 14);
  for (const name of ["deletion", "gradient", "attention"] as const) {
    expect(table[name][name]).toBeCloseTo(1, 14);
    expect(table.constant[name]).toBeNull();
    expect(table[name].constant).toBeNull();
  }
  expect(table.constant.constant).toBeNull();
  expect(table.attention.deletion).toBe(table.deletion.attention);
});

test("of no attribution is empty, and of different questions an error", () => {
  expect(rankAgreement({})).toEqual({});
  expect(() => rankAgreement({ deletion: [1, 2], attention: [1, 2, 3] })).toThrow(
    "deletion has scores for 2 words and attention for 3",
  );
  expect(() => rankAgreement({ deletion: [1, Number.NaN] })).toThrow("value 1 is NaN");
});
