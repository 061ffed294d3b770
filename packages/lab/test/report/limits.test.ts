import { expect, test } from "vitest";
import { limits } from "../../src/report/limits.ts";
import { fakeResult } from "../fake-cell.ts";

test("texts that were not trained on are told, with their model and number", () => {
  const whole = fakeResult("Harry Potter");
  const shorter = fakeResult("Netflix");
  const cell = { ...shorter, subject: { ...shorter.subject, leftOut: { forget: 2, retain: 1 } } };
  expect(limits([whole]).text).not.toContain("Texts left out");
  expect(limits([whole, cell]).text).toMatch(/Netflix \(Gradient Difference, tiny-llama\): 2 forget and 1 retain/);
});
