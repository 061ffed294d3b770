import { seed } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

test("damaged model directories and data files load or are typed errors, whatever is damaged", async () => {
  const { loaded, typedErrors, faults } = await fuzz({ seed, from: 0, to: 3000 });
  // How long a mutant takes depends on the machine; `npm run fuzz` counts slow ones, and here one that takes ten seconds is ended.
  expect(faults.filter(({ what }) => what !== "slow")).toEqual([]);
  expect(Math.min(loaded, typedErrors)).toBeGreaterThan(1000);
}, 600_000);
