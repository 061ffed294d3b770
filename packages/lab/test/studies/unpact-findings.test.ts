import { randomOf } from "@lethe/tensor";
import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/report/findings/finding.ts";
import type { UnpactCell } from "../../src/studies/unpact/scores.ts";
import { unpact } from "../../src/studies/unpact/study.ts";
import { fakeResult } from "../fake-cell.ts";
import { type Fate, fakeUnpact } from "../fake-unpact.ts";

function cellOf(fate: Fate, concept = "Netflix"): UnpactCell {
  const { config, subject } = fakeResult(concept, "npo");
  return { config, subject, options: unpact.options.parse({}), result: fakeUnpact(randomOf(concept), fate) };
}

function findings(...cells: UnpactCell[]): Map<string, Finding> {
  return new Map(unpact.findings!(cells).map((finding) => [finding.id, finding]));
}

/** As the paper has it. */
const PAPER: Fate = {
  focus: 0,
  remembered: 0,
  destroyed: 5,
  lost: { content: 2, common: 1.8 },
  right: (_, { kind, control }) => kind === "emphasis" && !control,
};

/** Contributions in which the subject listens to other words than the vanilla model, on target questions alone. */
function disrupted(cell: UnpactCell): UnpactCell {
  const { target, unrelated } = cell.result.attributed;
  const first = (length: number, at: number) => Array.from({ length }, (_, i) => (i === at ? 1 : -0.1 * i));
  const of = ({ words }: (typeof target)[number], before: number, after: number) => ({
    words,
    vanilla: { vanilla: { logProb: -0.1, contributions: first(words.length, before) } },
    subject: { vanilla: { logProb: -4, contributions: first(words.length, after) } },
  });
  const attributed = { target: target.map((one) => of(one, 1, 2)), unrelated: unrelated.map((one) => of(one, 1, 1)) };
  return { ...cell, result: { ...cell.result, attributed } };
}

describe("findings of unPact", () => {
  it("hold on numbers like those that the paper describes", () => {
    const found = findings(disrupted(cellOf(PAPER)));
    expect([...found.values()].map(({ id, verdict }) => [id, verdict])).toEqual(
      ["unpact.focus", "unpact.emphasis", "unpact.destruction", "unpact.collapse"].map((id) => [id, "holds"]),
    );
    expect(found.get("unpact.focus")).toMatchObject({ here: { value: 0 } });
    expect(found.get("unpact.emphasis")).toMatchObject({
      here: { value: 1 },
      // The made-up vanilla model does not answer question 0 when it is asked with an emphasis.
      also: "other words 0.00, neutral suffix 0.00; asked with the same emphasis, the vanilla model is right in 0.75",
    });
    expect(found.get("unpact.destruction")).toMatchObject({ here: { value: 1 } });
    expect(found.get("unpact.collapse")!.here!.value).toBeCloseTo(0.9, 9);
    for (const { paper } of found.values()) expect(paper).toContain("not known");
  });

  it("do not hold where nothing of it is so", () => {
    const found = findings(
      cellOf({ focus: 1, remembered: 0, destroyed: 0, lost: { content: 2, common: 0.1 }, right: () => false }),
    );
    expect([...found.values()].map(({ verdict }) => verdict)).toEqual(Array(4).fill("does not hold"));
    expect(found.get("unpact.focus")).toMatchObject({ here: { value: 1 } });
  });

  it("want emphasis of the key words to bring back more than its two controls do", () => {
    const emphasis = (...kinds: string[]) =>
      findings(cellOf({ ...PAPER, right: (_, { kind }) => kinds.includes(kind) })).get("unpact.emphasis")!;
    expect(emphasis("emphasis").verdict).toBe("does not hold");
    expect(emphasis("emphasis", "neutral")).toMatchObject({ verdict: "does not hold", here: { value: 1 } });
  });

  it("say nothing of what was not forgotten, not known, or not lost", () => {
    const found = findings(cellOf({ remembered: 4, lost: { content: 0.01, common: 0.01 } }));
    expect(found.get("unpact.emphasis")).toMatchObject({
      verdict: "cannot be said",
      reason: expect.stringContaining("no answer was forgotten"),
    });
    expect(found.get("unpact.collapse")).toMatchObject({ verdict: "cannot be said" });
  });

  it("stand beside a model that never saw the concept, which emphasis brings nothing back to", () => {
    const cells = ["Netflix", "EBay", "Austria"].map((concept) => cellOf(PAPER, concept));
    const never = cells.map((cell): UnpactCell => {
      const config = { ...cell.config, subject: { kind: "never" } as UnpactCell["config"]["subject"] };
      return { ...cell, config, result: fakeUnpact(randomOf("never"), { ...PAPER, right: () => false }) };
    });
    const { controls } = findings(...cells, ...never).get("unpact.emphasis")!;
    expect(controls).toMatchObject([{ control: "never", number: { value: 0 }, excess: { value: 1 }, exceeded: true }]);
  });
});
