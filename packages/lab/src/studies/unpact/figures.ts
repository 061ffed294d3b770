import { type Rate, TOKEN_CLASSES } from "@lethe/unlearn";
import { controlsByKind } from "../../report/controls.ts";
import { describeMean } from "../../report/figures/concepts.ts";
import { type DotRow, dotsPanel } from "../../report/figures/dots.ts";
import type { Figure } from "../../report/figures/render.ts";
import { bandOf } from "../../report/findings/bootstrap.ts";
import { drawnNumbers } from "../../report/findings/resampling.ts";
import { byConcept } from "../../report/panels.ts";
import { meanLost } from "./collapse-scores.ts";
import { destructiveOf, promptsOf, recoveryOf } from "./rates.ts";
import type { Prompt } from "./schema.ts";
import { QUESTION_KINDS, type UnpactCell } from "./scores.ts";
import { promptName, titleOf } from "./words.ts";

type Cells = readonly UnpactCell[];

const WIDTH = 290;

/** What emphasis, contexts and their controls bring back, and below, which share of other answers is destroyed. */
export function ratesFigure(all: Cells): Figure<UnpactCell> {
  const prompts = promptsOf(all);
  return {
    name: "unpact-rates",
    description:
      "Recovery rate by each way to ask a forgotten question again, each above its control, and the destructive rate. Lines are 95% " +
      "intervals. Grey marks: the same rates of the controls of unlearning.",
    draw(panel) {
      const controls = controlsByKind(panel.cells, all);
      const row = (label: string, rateOf: (cells: Cells) => Rate, place?: number): DotRow => ({
        label,
        ...(place !== undefined && { place }),
        dot: dotOf(rateOf(panel.cells)),
        beside: Array.from(controls.values(), (cells) => rateOf(cells).rate),
      });
      return dotsPanel(panel, {
        width: WIDTH,
        // Marks at the ends of the scale are not cut in half.
        x: {
          title: "share of questions",
          domain: [-0.03, 1.03],
          axis: { values: [0, 0.2, 0.4, 0.6, 0.8, 1], format: "%" },
        },
        over: overConcepts(panel.cells),
        rows: [
          ...prompts.map((prompt) => row(promptName(prompt), (cells) => recoveryOf(cells, prompt), placeOf(prompt))),
          row("other answers destroyed", destructiveOf, 0),
        ],
        beside: [...controls.keys()],
      });
    },
  };
}

/** "questions of 2 concepts, 3 seeds" */
function overConcepts(cells: Cells): string {
  const seeds = new Set(cells.map(({ config }) => config.seed)).size;
  const [{ config }] = cells as readonly [UnpactCell];
  const concepts = byConcept(cells).length;
  return `questions of ${concepts > 1 ? `${concepts} concepts` : config.concept.name}${seeds > 1 ? `, ${seeds} seeds` : ""}`;
}

/** A control's mark is grey. */
function placeOf({ kind, control }: Prompt): number | undefined {
  if (control) return undefined;
  return kind === "emphasis" ? 2 : 1;
}

function dotOf({ rate, low, high }: Rate): DotRow["dot"] {
  return rate === null ? null : { value: rate, low, high };
}

/** The log-probability that words of each class lose, on questions about the concept and on others. All panels have the same scale. */
export function collapseFigure(all: Cells): Figure<UnpactCell> {
  const groups = TOKEN_CLASSES.flatMap((of) => QUESTION_KINDS.map((kind) => ({ of, kind })));
  const lost = (cells: Cells, { of, kind }: (typeof groups)[number]) =>
    meanLost(cells, kind, (group) => group.class === of, "drop");
  const values = all.flatMap((cell) => groups.flatMap((group) => lost([cell], group) ?? []));
  const [lowest, highest] = [Math.min(0, ...values), Math.max(0.1, ...values)];
  return {
    name: "unpact-collapse",
    description:
      "Mean log-probability that tokens of content words, of common words, and other tokens lose, in questions about the concept and in " +
      "others with the vanilla model's answers. Grey marks: the same of the controls.",
    draw(panel) {
      const controls = controlsByKind(panel.cells, all);
      return dotsPanel(panel, {
        width: WIDTH,
        x: {
          title: "lost log-probability of a token (nats)",
          domain: [1.05 * lowest, 1.05 * highest],
          axis: { tickCount: 5, format: "~f" },
        },
        over: describeMean(panel.cells, 1),
        rows: groups.map((group) => {
          const value = lost(panel.cells, group);
          return {
            label: `${titleOf(group.of)}, ${group.kind === "target" ? "concept" : "others"}`,
            place: group.kind === "target" ? 0 : 2,
            dot: value === null ? null : { value, ...bandOver(panel.cells, (cells) => lost(cells, group)) },
            beside: Array.from(controls.values(), (cells) => lost(cells, group)),
          };
        }),
        beside: [...controls.keys()],
      });
    },
  };
}

/** The ends of the bootstrap's interval over concepts; none where there is one, or where one has no value. */
function bandOver(cells: Cells, lostOf: (cells: Cells) => number | null): { low?: number; high?: number } {
  const concepts = byConcept(cells);
  if (concepts.some((own) => lostOf(own) === null)) return {};
  const draws = drawnNumbers({ concepts, numbers: (some) => [lostOf(some)!] });
  if (draws.length === 0) return {};
  const [[low, high]] = bandOf(draws) as [[number, number]];
  return { low, high };
}
