import { expect, test } from "vitest";
import { showForecast, showTaken } from "../../src/commands/experiment/show-forecast.ts";

const forecast = {
  seconds: 210,
  stages: { unlearning: 200, answering: 10 },
  memory: { gradients: 1_500_000_000, activations: 500_000_000 },
};

test("a forecast shows its stages and parts, and what a cell took stands beside it", () => {
  expect(showForecast("a cell", forecast)).toBe(
    [
      "a cell: forecast 3 min 30 s and 2,000 MB on the device:",
      "  unlearning   3 min 20 s",
      "  answering    10 s",
      "  gradients    1,500 MB",
      "  activations  500 MB",
    ].join("\n"),
  );
  expect(showTaken({ seconds: 215, bytes: 2_010_000_000 }, forecast)).toBe(
    "took 3 min 35 s, forecast 3 min 30 s; held 2,010 MB at most, forecast 2,000 MB",
  );
});
