import { KNOWN_FROM, type QuestionCounts } from "../subjects/compared.ts";
import { isControl } from "../subjects/controls.ts";
import { type Html, html } from "./html.ts";
import { endOfBleu, type Panel, panelsOf, type ReportCell, seedOf, subjectTitle } from "./panels.ts";
import { score } from "./tables.ts";
import { isTrained, type TrainedCell } from "./training.ts";

/** Below this mean BLEU on unrelated questions a model no longer works. */
const COLLAPSED_BELOW = 0.3;

/** Below it nothing is left of a model that would be put together again by a restoration. */
const WRECKED_BELOW = 0.1;

/** What the numbers of any study cannot show, and which models of this report need care. */
export function limits(cells: readonly ReportCell[]): Html {
  const nameOf = nameIn(cells);
  const collapsed = cells.filter((cell) => !isControl(cell) && endOfBleu([cell], "unrelated") < COLLAPSED_BELOW);
  const unmatched = cells.filter(isUnmatched);
  const wrecked = cells.filter((cell) => factorOf(cell) && endOfBleu([cell], "unrelated") < WRECKED_BELOW);
  const ignorant = cells.filter(({ config, subject }) => !config.evaluation.known && knownShare(subject) < KNOWN_FROM);
  const untrained = cells.filter(isTrained).filter(({ subject }) => subject.leftOut);
  const shortened = cells.filter(({ subject: { vanilla } }) => Object.values(vanilla).some(lost));
  return html`<ul>
<li><strong>BLEU compares words.</strong> A right answer in other words has a low score. Where the unrelated answers are lost too, the
training damaged the model as a whole; this depends much on the learning rate.</li>
<li><strong>Few runs.</strong> ${counted(cells)} Thin lines in figures are single concepts. Bands and intervals say how much a mean depends on
which concepts, or which questions of one, were chosen. They say nothing of other models or methods.</li>
${
  collapsed.length > 0
    ? html`<li><strong>Collapsed models.</strong> Mean BLEU on unrelated questions ended below ${score(COLLAPSED_BELOW)} for
${collapsed.map(nameOf).join("; ")}. Numbers measured on them describe a broken model.</li>`
    : ""
}${
  unmatched.length > 0
    ? html`<li><strong>Noise that is not matched.</strong> No noise brought loss* to the unlearned model's:
${unmatched.map(nameOf).join("; ")}. These controls are damaged more or less than what they stand beside.</li>`
    : ""
}${
  wrecked.length > 0
    ? html`<li><strong>Noise that leaves nothing.</strong> Mean BLEU on unrelated questions ended below ${score(WRECKED_BELOW)} in
${panelsOf(wrecked)
  .map((panel) => `${panel.title}: ${shareOf(panel, cells)}, ${factorsOf(panel)}`)
  .join(
    "; ",
  )}. Noise breaks every answer before it reaches the loss* of a model that was trained to be wrong on one concept. Whatever is
restored, little comes back from such a control, and it is easily exceeded.</li>`
    : ""
}${
  ignorant.length > 0
    ? html`<li><strong>Not known before.</strong> The vanilla model answered fewer than ${KNOWN_FROM * 100}% of the target questions right, by the
judge that the configuration names: ${ignorant.map((cell) => `${nameOf(cell)} (${Math.round(knownShare(cell.subject) * 100)}%)`).join("; ")}.
What it did not know it could not forget.</li>`
    : ""
}${
  shortened.length > 0
    ? html`<li><strong>Questions left out.</strong> Models are compared on the questions that are left. Left out are those to which the vanilla
model gave no answer and, where only known questions were wanted, those that it answered wrong:
${shortened.map((cell) => `${nameOf(cell)}: ${leftOut(cell)}`).join("; ")}.</li>`
    : ""
}${
  untrained.length > 0
    ? html`<li><strong>Texts left out.</strong> A text of one token predicts nothing, so it was not trained on:
${untrained.map((cell) => `${nameOf(cell)}: ${leftOutTexts(cell)}`).join("; ")}.</li>`
    : ""
}
</ul>`;
}

/** Whether a control that was to have an unlearned model's loss* has another one. */
function isUnmatched({ config, subject }: ReportCell): boolean {
  if (!("matchedLoss" in subject) || config.subject.kind !== "noise") return false;
  return Math.abs(subject.change.loss / subject.matchedLoss - 1) > config.subject.tolerance;
}

/** How much larger a noise control's noise is than the change that it stands beside. */
function factorOf({ subject }: ReportCell): number | undefined {
  return "factor" in subject ? subject.factor : undefined;
}

/** "2 of 6 controls" */
function shareOf({ title, cells }: Panel, all: readonly ReportCell[]): string {
  const own = panelsOf(all).find((panel) => panel.title === title)!;
  return `${cells.length} of ${own.cells.length} control${own.cells.length === 1 ? "" : "s"}`;
}

/** "noise of 9.2 to 70 times the norms of the change" */
function factorsOf({ cells }: Panel): string {
  const factors = cells.map((cell) => factorOf(cell)!);
  const [least, most] = [Math.min(...factors), Math.max(...factors)].map((factor) =>
    String(Number(factor.toPrecision(2))),
  );
  return `noise of ${least === most ? least : `${least} to ${most}`} times the norms of the change`;
}

/** The share of the judged target questions that the vanilla model answered right; 1 where none could be judged. */
function knownShare({ vanilla: { target } }: ReportCell["subject"]): number {
  return target.judged === 0 ? 1 : target.right / target.judged;
}

function lost({ asked, compared }: QuestionCounts): boolean {
  return compared < asked;
}

/** "2 of 10 target questions (1 without an answer, 1 not known)" */
function leftOut({ subject: { vanilla } }: ReportCell): string {
  return Object.entries(vanilla)
    .filter(([, counts]) => lost(counts))
    .map(([kind, { asked, silent, unknown, compared }]) => {
      const why = [
        ...(silent > 0 ? [`${silent} without an answer`] : []),
        ...(unknown > 0 ? [`${unknown} not known`] : []),
      ];
      return `${asked - compared} of ${asked} ${kind} questions (${why.join(", ")})`;
    })
    .join(" and ");
}

/** "2 forget and 1 retain" */
function leftOutTexts({ subject: { leftOut = {} } }: TrainedCell): string {
  return Object.entries(leftOut)
    .map(([role, count]) => `${count} ${role}`)
    .join(" and ");
}

function counted(cells: readonly ReportCell[]): string {
  const count = (noun: string, of: (cell: ReportCell) => string | number) => {
    const { size } = new Set(cells.map(of));
    return `${size} ${noun}${size === 1 ? "" : "s"}`;
  };
  const models = count("model", ({ config }) => config.model.name);
  const concepts = count("concept", ({ config }) => config.concept.name);
  return `${models}, ${concepts}, ${count("seed", ({ config }) => config.seed)}.`;
}

/** Names a cell among all of the report. */
function nameIn(cells: readonly ReportCell[]): (cell: ReportCell) => string {
  return (cell) => {
    const about = [subjectTitle(cell), cell.config.model.name, seedOf(cell, cells)].filter(Boolean);
    return `${cell.config.concept.name} (${about.join(", ")})`;
  };
}
