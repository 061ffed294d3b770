import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadLabels } from "../../src/report/figures/lines.ts";

describe("labels at the ends of lines", () => {
  it("stay where they belong when there is room", () =>
    expect(spreadLabels([0.9, 0.1, 0.5], 0.1)).toEqual([0.9, 0.1, 0.5]));

  it("move apart evenly when there is none", () => {
    const [a, b] = spreadLabels([0.5, 0.52], 0.1) as [number, number];
    expect(a).toBeCloseTo(0.46, 12);
    expect(b).toBeCloseTo(0.56, 12);
  });

  it("never come closer than the gap, and keep their order", () => {
    const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(values, (wanted) => {
        const placed = spreadLabels(wanted, 0.1);
        const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
        for (let i = 1; i < order.length; i++) {
          expect(placed[order[i]!]! - placed[order[i - 1]!]!).toBeGreaterThanOrEqual(0.1 - 1e-9);
        }
      }),
    );
  });
});
