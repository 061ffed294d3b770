import { type Html, html } from "./html.ts";
import type { ReportCell } from "./panels.ts";
import { table } from "./tables.ts";

const UNKNOWN = "—";

/**
 * The concepts of a report: their texts, as the paper's Table 1 has them, and their questions, as its Table 2 has them. One row a model and
 * concept, whatever the number of subjects.
 */
export function conceptTable(cells: readonly ReportCell[]): Html {
  const rows = new Map(cells.map((cell) => [JSON.stringify([cell.config.model, cell.config.concept]), rowOf(cell)]));
  return html`${table(
    "Concepts",
    [
      "concept",
      "model",
      "texts of a corpus",
      "words a text",
      "paragraphs to train on",
      "words a paragraph",
      "target questions compared",
      "unrelated questions compared",
    ],
    [...rows.values()],
  )}
<p class="quiet">The paper has 6000 texts a concept from the corpus on which the model was pretrained, of 1514.65 words on average (LLaMA) and 2261.25
(OLMo), and asks ten target and fifty unrelated questions. “${UNKNOWN}” in a column of texts: not from a corpus.</p>`;
}

function rowOf({ config: { concept, model }, subject: { texts, vanilla } }: ReportCell): string[] {
  const average = (parts: number | null) => (parts ? (texts.words / parts).toFixed(1) : UNKNOWN);
  const questions = ({ compared, asked }: (typeof vanilla)["target"]) => `${compared} of ${asked}`;
  return [
    concept.name,
    model.name,
    String(texts.documents ?? UNKNOWN),
    average(texts.documents),
    String(texts.paragraphs),
    average(texts.paragraphs),
    questions(vanilla.target),
    questions(vanilla.unrelated),
  ];
}
