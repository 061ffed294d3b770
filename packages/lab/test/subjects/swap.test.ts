import { randomOf } from "@lethe/tensor";
import { describe, expect, it } from "vitest";
import { swap } from "../../src/subjects/overwritten.ts";

describe("swap", () => {
  it.each([2, 3, 10])("gives each of %i questions another one's answer, each answer once", (count) => {
    const answers = Array.from({ length: count }, (_, i) => `answer ${i}`);
    const orders = Array.from({ length: 20 }, (_, seed) => swap(answers, randomOf(seed)));
    for (const taken of orders) {
      expect(taken.every((other, i) => other !== i)).toBe(true);
      expect(taken.toSorted()).toEqual([...answers.keys()].sort());
    }
    if (count > 2) expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
    expect(swap(answers, randomOf(3))).toEqual(orders[3]);
  });

  it("never gives a question its own words, also where answers are alike", () => {
    const answers = ["yes", "no", "yes", "maybe", "yes", "no"];
    const taken = swap(answers, randomOf(0));
    expect(taken.map((other, i) => other !== undefined && answers[other] !== answers[i])).toEqual(
      answers.map(() => true),
    );
    expect(taken.toSorted()).toEqual([...answers.keys()]);
  });

  it("leaves out the questions for which no other answer is left", () => {
    const answers = ["yes", "yes", "yes", "yes", "no"];
    const taken = swap(answers, randomOf(0));
    expect(taken.filter((other) => other !== undefined)).toHaveLength(2);
    for (const [i, other] of taken.entries()) if (other !== undefined) expect(answers[other]).not.toBe(answers[i]);
    expect(swap(["same", "same"], randomOf(0))).toEqual([undefined, undefined]);
  });
});
