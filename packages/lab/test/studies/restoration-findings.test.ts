import { type SettingName, settings } from "@lethe/unlearn";
import { describe, expect, it } from "vitest";
import { studyCells } from "../../src/cells/cell.ts";
import type { Finding } from "../../src/report/findings/finding.ts";
import { drawnScoresOf, PAPER_KRS, scoresOf } from "../../src/studies/restoration/scores.ts";
import { restoration } from "../../src/studies/restoration/study.ts";
import { fakeResult } from "../fake-cell.ts";

type Curves = Partial<Record<SettingName, readonly number[]>>;

/** Findings of a cell of 12 layers whose settings have these KRS curves, alike on all questions; other settings were not swept. */
function findings(curves: Curves): Map<string, Finding> {
  const [cell] = studyCells([fakeResult("Netflix", "npo", "tiny-llama", settings)], restoration);
  const { base, depth, centres } = cell!.result;
  const restored = Object.entries(curves).map(([setting, scores]) => {
    const layers = (alignment: "paper" | "released") =>
      scores.map((score) => base[alignment].map((loss) => loss * (1 - score)));
    return [setting, { paper: layers("paper"), released: layers("released") }];
  });
  const result = { base, depth, centres, restored: Object.fromEntries(restored) };
  return new Map(restoration.findings!([{ ...cell!, result }]).map((finding) => [finding.id, finding]));
}

const flat = (value: number) => Array.from({ length: 12 }, () => value);
/** One value in the shallower half, one in the deeper, and one in the last tenth: layers 10 and 11. */
const steps = (shallow: number, deep: number, last: number) => [
  ...Array(6).fill(shallow),
  ...Array(4).fill(deep),
  last,
  last,
];

/** The paper's own numbers. */
const PAPER: Curves = {
  W_V: flat(0.0005),
  A: steps(0.02, 0.25, 0.35),
  m: steps(0.01, 0.3, 0.82),
  "m+A": steps(0.1, 0.5, 0.92),
  "m-isolated": steps(0, 0.2, 0.81),
  "A-isolated": steps(0, 0.05, 0.08),
  "W_V-isolated": flat(0.0001),
};

describe("findings of restoration", () => {
  it("hold on numbers like the paper's", () => {
    const found = findings(PAPER);
    expect([...found.values()].map(({ id, verdict }) => [id, verdict])).toEqual(
      [
        "restoration.W_V",
        "restoration.A-from-middle",
        "restoration.m-from-middle",
        "restoration.m-last-layers",
        "restoration.m+A",
        "restoration.m-isolated",
        "restoration.A-isolated",
        "restoration.W_V-isolated",
      ].map((id) => [id, "holds"]),
    );
    expect(found.get("restoration.m-last-layers")!.here!.value).toBeCloseTo(0.82, 5);
    expect(found.get("restoration.A-isolated")!.here!.value).toBeCloseTo(0.08 / 0.35, 5);
    expect(found.get("restoration.m-from-middle")!.here!.value).toBeCloseTo((4 * 0.3 + 2 * 0.82) / 6 - 0.01, 5);
  });

  it.each<[id: string, changed: Curves]>([
    ["restoration.W_V", { W_V: steps(0, 0.06, 0) }],
    ["restoration.A-from-middle", { A: steps(0.4, 0.45, 0.45) }],
    ["restoration.A-from-middle", { A: steps(0, 0.2, 0.2) }],
    ["restoration.m-from-middle", { m: steps(0.5, 0.2, 0.8) }],
    ["restoration.m-last-layers", { m: steps(0, 0.4, 0.45) }],
    ["restoration.m-last-layers", { A: steps(0, 0.4, 0.9) }],
    ["restoration.m+A", { "m+A": flat(0.85) }],
    ["restoration.m-isolated", { "m-isolated": steps(0, 0.2, 0.5) }],
    ["restoration.A-isolated", { "A-isolated": steps(0, 0.3, 0.2) }],
    ["restoration.W_V-isolated", { "W_V-isolated": flat(0.1) }],
  ])("%s does not hold on %o", (id, changed) => {
    expect(findings({ ...PAPER, ...changed }).get(id)!.verdict).toBe("does not hold");
  });

  it.each<[id: string, curves: Curves, reason: RegExp]>([
    ["restoration.W_V", { m: PAPER.m! }, /^not every cell was swept with the setting W_V$/],
    ["restoration.m-last-layers", { m: PAPER.m! }, /settings A and W_V$/],
    ["restoration.m-isolated", { ...PAPER, m: flat(0.05) }, /^m itself has a KRS of 0.05 there/],
    ["restoration.A-isolated", { ...PAPER, A: flat(0.05) }, /^A itself reaches a KRS of 0.05/],
  ])("%s cannot be said where there is nothing to judge", (id, curves, reason) => {
    const finding = findings(curves).get(id)!;
    expect(finding.verdict).toBe("cannot be said");
    expect(finding.reason).toMatch(reason);
    expect(finding.here).toBeUndefined();
  });
});

it("scores of drawn questions are those of the questions as they were drawn", () => {
  const [cell] = studyCells([fakeResult()], restoration);
  const { centres } = cell!.result;
  const every = drawnScoresOf(cell!, "m", centres, [0, 1, 2, 3]);
  for (const [i, score] of scoresOf(cell!, "m", PAPER_KRS).entries()) expect(every[i]).toBeCloseTo(score, 12);
  expect(drawnScoresOf(cell!, "m", [3], [2, 2])[0]).toBeCloseTo(
    1 - cell!.result.restored.m.paper[3]![2]! / cell!.result.base.paper[2]!,
    12,
  );
});
