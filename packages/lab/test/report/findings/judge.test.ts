import { expect, test } from "vitest";
import { drawsOf, intervalOf } from "../../../src/report/findings/bootstrap.ts";
import type { Claim } from "../../../src/report/findings/claim.ts";
import { findingsOf } from "../../../src/report/findings/judge.ts";
import { mean, type ReportCell } from "../../../src/report/panels.ts";
import { fakeResult } from "../../fake-cell.ts";
import { fakeControl } from "../../fake-experiment.ts";

/** A cell whose unrelated BLEU ends at a value: the claims' number below. */
function cellAt(value: number, concept = "Harry Potter", method = "npo") {
  const cell = fakeResult(concept, method);
  cell.subject.bleu.unrelated.splice(-1, 1, value);
  return cell;
}

const last = ({ subject }: ReportCell) => subject.bleu.unrelated.at(-1)!;

const claim: Claim<ReportCell> = {
  id: "test.high",
  claim: "It is high",
  source: "Section 0",
  measure: "the number",
  paper: "1",
  criterion: "it is at least 0.5",
  beyond: "higher",
  on: () => ({
    numbers: (cells) => [mean(cells.map(last))],
    judge: ([value]) => ({ value: value!, holds: value! >= 0.5 }),
  }),
};

const concepts = ["a", "b", "c", "d", "e"];

test("a claim holds, or does not hold, by the mean over methods and then over concepts", () => {
  const cells = concepts.flatMap((concept, i) => [cellAt(0.5, concept), cellAt(0.7 + 0.02 * i, concept, "graddiff")]);
  const [all, ...each] = findingsOf([claim], cells);
  expect(all).toMatchObject({ overall: true, verdict: "holds", methods: ["NPO", "Gradient Difference"], controls: [] });
  expect(all!.here!.value).toBeCloseTo(0.62, 12);
  const [low, high] = all!.here!.interval!;
  expect(low).toBeGreaterThan(0.6);
  expect(high).toBeLessThan(0.64);
  expect(each.map(({ overall, methods }) => [overall, methods])).toEqual([
    [false, ["NPO"]],
    [false, ["Gradient Difference"]],
  ]);
  const [low1] = findingsOf(
    [claim],
    concepts.map((concept) => cellAt(0.2, concept)),
  );
  expect(low1).toMatchObject({ verdict: "does not hold", here: { value: 0.2 } });
});

test("nothing is said where the draws disagree, or where the claim cannot be measured", () => {
  const [unsure] = findingsOf([claim], [cellAt(0.9, "a"), cellAt(0.2, "b")]);
  expect(unsure).toMatchObject({ verdict: "cannot be said", here: { interval: [0.2, 0.9] } });
  expect(unsure!.reason).toMatch(/^the mean meets the criterion, but only in 7\d% of the draws is it met$/);
  const absent = { ...claim, on: () => "it was not measured" };
  const [silent] = findingsOf([absent], [cellAt(0.9)]);
  expect(silent).toMatchObject({ verdict: "cannot be said", reason: "it was not measured" });
  expect(silent!.here).toBeUndefined();
});

test("one concept whose numbers are not by question has no interval; by question it has", () => {
  const [plain] = findingsOf([claim], [cellAt(0.9)]);
  expect(plain).toMatchObject({ verdict: "holds", here: { value: 0.9 }, over: "one cell; no interval: one concept" });
  const questions: Claim<ReportCell> = {
    ...claim,
    on: () => ({
      questions: 4,
      numbers: (_, drawn = [0, 1, 2, 3]) => [mean(drawn.map((question) => question / 4))],
      judge: ([value]) => ({ value: value!, holds: value! >= 0 }),
    }),
  };
  const [drawn] = findingsOf([questions], [cellAt(0.9)]);
  expect(drawn!.over).toContain("over 4 questions");
  expect(drawn!.here!.interval![0]).toBeLessThan(drawn!.here!.interval![1]);
});

test("a number stands beside that of its controls, drawn together, and exceeds it or not", () => {
  const unlearned = concepts.map((concept, i) => cellAt(0.6 + 0.02 * i, concept));
  const controls = unlearned.map((cell, i) => {
    const control = fakeControl(cell, "noise");
    control.subject.bleu.unrelated.splice(-1, 1, 0.5 + 0.02 * i);
    return control;
  });
  const [higher] = findingsOf([claim], [...unlearned, ...controls]);
  expect(higher!.here!.value).toBeCloseTo(0.64, 12);
  const [comparison] = higher!.controls;
  expect(comparison).toMatchObject({ control: "noise", exceeded: true });
  expect(comparison!.number.value).toBeCloseTo(0.54, 12);
  // Both sides have the same concepts in each draw, so the difference is the same in all.
  for (const end of comparison!.excess.interval!) expect(end).toBeCloseTo(0.1, 12);
  const [lower] = findingsOf([{ ...claim, beyond: "lower" }], [...unlearned, ...controls]);
  expect(lower!.controls[0]!.exceeded).toBe(false);
});

test("the bootstrap draws the same each time, and its interval holds the middle of the draws", () => {
  expect(drawsOf(7)).toEqual(drawsOf(7));
  expect(new Set(drawsOf(7).flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  const [low, high] = intervalOf(Array.from({ length: 1001 }, (_, i) => i / 1000));
  expect(low).toBeCloseTo(0.025, 3);
  expect(high).toBeCloseTo(0.975, 3);
});
