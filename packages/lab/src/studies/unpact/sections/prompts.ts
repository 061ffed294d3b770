import { type HeatRow, heatMap } from "../../../report/heat-map.ts";
import { type Html, html } from "../../../report/html.ts";
import { byConcept, subjectTitle } from "../../../report/panels.ts";
import { score } from "../../../report/tables.ts";
import {
  attributionOf,
  keyAnswerOf,
  keyWordsOf,
  QUESTION_KINDS,
  type QuestionKind,
  type UnpactCell,
} from "../scores.ts";
import { answerName } from "../words.ts";

/** Questions of each kind that are shown; `contributions.csv` has all. */
const SHOWN = { target: 4, unrelated: 1 };

/** Prompts as heat maps, before and after: those of each model and concept together, all but the first folded. */
export function prompts(cells: readonly UnpactCell[]): Html {
  const answer = answerName(keyAnswerOf(cells[0]!));
  const groups = [...new Set(cells.map(({ config }) => config.model.name))].flatMap((model) =>
    byConcept(cells.filter(({ config }) => config.model.name === model)).map((own) => {
      // Of several seeds the first stands for all.
      const { seed } = own[0]!.config;
      return { model, concept: own[0]!.config.concept.name, own: own.filter(({ config }) => config.seed === seed) };
    }),
  );
  return html`<p>Blue words support the answer: without them it is less probable. Orange words oppose it. Each row has its own scale, up to its largest
contribution, which stands at its end with the answer's log-probability. Underlined are the key words. The answer is ${answer}; each word's
title has its number in nats, and <code>contributions.csv</code> has those of all questions and answers.</p>
${groups.map(
  ({ model, concept, own }, i) => html`<details${i === 0 ? html` open` : ""}>
<summary><strong>${concept}</strong>, ${model}</summary>
${QUESTION_KINDS.map((kind) => shownQuestions(own, kind))}</details>\n`,
)}`;
}

function shownQuestions(cells: readonly UnpactCell[], kind: QuestionKind): Html {
  const count = Math.min(SHOWN[kind], ...cells.map(({ result }) => result.attributed[kind].length));
  return html`${Array.from({ length: count }, (_, place) => {
    const before = rowOf(cells[0]!, kind, place, "vanilla");
    const rows = [before, ...cells.map((cell) => rowOf(cell, kind, place, "subject"))];
    const { question } = cells[0]!.result.judged[kind][place]!;
    const name = `${kind === "target" ? "About the concept" : "About other things"}: ${question}`;
    return heatMap(
      name,
      rows.filter((row) => row !== null),
      "nats",
      "key word",
    );
  })}`;
}

/** A question in one model; null where its contributions are not known. */
function rowOf(cell: UnpactCell, kind: QuestionKind, place: number, model: "vanilla" | "subject"): HeatRow | null {
  const words = cell.result.attributed[kind][place]!;
  const measured = attributionOf(words, model, keyAnswerOf(cell));
  if (!measured) return null;
  const { contributions, logProb } = measured;
  const key = keyWordsOf(cell, kind, undefined, model)[place]!;
  const largest = Math.max(...contributions.map(Math.abs));
  return {
    label: model === "vanilla" ? "vanilla" : subjectTitle(cell),
    words: words.words.map((text, i) => ({ text, value: contributions[i]!, marked: key.includes(i) })),
    note: `up to ${score(largest)}; log-probability ${score(logProb)}`,
  };
}
