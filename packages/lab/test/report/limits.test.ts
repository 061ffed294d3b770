import { expect, test } from "vitest";
import type { CellResult } from "../../src/cells/cell.ts";
import { limits } from "../../src/report/limits.ts";
import { fakeResult } from "../fake-cell.ts";
import { fakeControl } from "../fake-experiment.ts";

test("texts that were not trained on are told, with their model and number", () => {
  const whole = fakeResult("Harry Potter");
  const shorter = fakeResult("Netflix");
  const cell = { ...shorter, subject: { ...shorter.subject, leftOut: { forget: 2, retain: 1 } } };
  expect(limits([whole]).text).not.toContain("Texts left out");
  expect(limits([whole, cell]).text).toMatch(/Netflix \(Gradient Difference, tiny-llama\): 2 forget and 1 retain/);
});

test("noise that broke a model is told, with its factor; other models are not", () => {
  const unlearned = fakeResult("Netflix");
  const noise = fakeControl(unlearned, "noise");
  const ended = (cell: CellResult, unrelated: number): CellResult => ({
    ...cell,
    subject: { ...cell.subject, bleu: { target: [1, 0], unrelated: [1, unrelated] } },
  });
  const told = (...cells: CellResult[]) => limits(cells).text.includes("Noise that leaves nothing");
  expect(told(ended(unlearned, 0.01), ended(noise, 0.5))).toBe(false);
  expect(told(unlearned, ended(noise, 0.01))).toBe(true);
  const whole = fakeControl(fakeResult("EBay"), "noise");
  expect(limits([ended(noise, 0.01), ended(whole, 0.5)]).text).toContain(
    "tiny-llama · Noise as large as Gradient Difference: 1 of 2 controls, noise of 20 times the norms of the change.",
  );
});
