import { csvOfCells } from "../../report/csv.ts";
import { baseOf, type DepthCell, type QuestionKind } from "./scores.ts";

const KINDS: readonly QuestionKind[] = ["target", "unrelated"];

/** One line for each cell, kind of questions, layer and question. */
function lines(
  cells: readonly DepthCell[],
  columns: readonly string[],
  rowsOf: (cell: DepthCell, kind: QuestionKind) => readonly { question: number; row: readonly number[] }[],
): string {
  return csvOfCells(cells, ["questions", "question", "tokens", ...columns], (cell) =>
    KINDS.flatMap((kind) =>
      rowsOf(cell, kind).map(({ question, row }) => [kind, question, cell.result[kind].tokens[question]!, ...row]),
    ),
  );
}

/** `depth.csv`: the vanilla model's log-probability of each answer, as it is and with the patch, and how much is lost. */
export function depthCsv(cells: readonly DepthCell[]): string {
  return lines(cells, ["layer", "vanilla", "patched", "drop"], ({ result }, kind) => {
    const base = baseOf(result[kind]);
    return result.layers.flatMap((layer, i) =>
      result[kind].patched[i]!.map((patched, question) => {
        const vanilla = base[question]!;
        return { question, row: [layer, vanilla, patched, vanilla - patched] };
      }),
    );
  });
}

/** `lens.csv`: what the logit lens reads from the vanilla model and from the measured one, and how often the answer's token comes first. */
export function lensCsv(cells: readonly DepthCell[]): string {
  return lines(cells, ["layer", "vanilla", "subject", "vanillaFirst", "subjectFirst"], ({ result }, kind) => {
    const { vanilla, subject } = result[kind].lens;
    return vanilla.logProb.flatMap((read, layer) =>
      read.map((logProb, question) => {
        const read = [logProb, subject.logProb[layer]![question]!];
        const first = [vanilla.first[layer]![question]!, subject.first[layer]![question]!];
        return { question, row: [layer, ...read, ...first] };
      }),
    );
  });
}
