import { csvFormat } from "d3-dsv";
import { subjectKind } from "../../subjects/list.ts";
import { baseOf, type DepthCell, type QuestionKind } from "./scores.ts";

const KINDS: readonly QuestionKind[] = ["target", "unrelated"];
const COMMON = ["model", "concept", "method", "seed", "questions", "question", "tokens"] as const;

function commonOf({ config, result }: DepthCell, kind: QuestionKind, question: number) {
  const { model, concept, subject, seed } = config;
  const { name: method } = subjectKind(subject).label(subject);
  const tokens = result[kind].tokens[question]!;
  return { model: model.name, concept: concept.name, method, seed, questions: kind, question, tokens };
}

/** One line for each cell, kind of questions, layer and question. */
function lines<L extends string>(
  cells: readonly DepthCell[],
  columns: readonly L[],
  rowsOf: (cell: DepthCell, kind: QuestionKind) => (Record<L, number> & { readonly question: number })[],
): string {
  const rows = cells.flatMap((cell) =>
    KINDS.flatMap((kind) => rowsOf(cell, kind).map((row) => ({ ...commonOf(cell, kind, row.question), ...row }))),
  );
  return `${csvFormat(rows, [...COMMON, ...columns])}\n`;
}

/** `depth.csv`: the vanilla model's log-probability of each answer, as it is and with the patch, and how much is lost. */
export function depthCsv(cells: readonly DepthCell[]): string {
  return lines(cells, ["layer", "vanilla", "patched", "drop"], ({ result }, kind) => {
    const base = baseOf(result[kind]);
    return result.layers.flatMap((layer, i) =>
      result[kind].patched[i]!.map((patched, question) => {
        const vanilla = base[question]!;
        return { question, layer, vanilla, patched, drop: vanilla - patched };
      }),
    );
  });
}

/** `lens.csv`: what the logit lens reads from the vanilla model and from the measured one, and how often the answer's token comes first. */
export function lensCsv(cells: readonly DepthCell[]): string {
  return lines(cells, ["layer", "vanilla", "subject", "vanillaFirst", "subjectFirst"], ({ result }, kind) => {
    const { vanilla, subject } = result[kind].lens;
    return vanilla.logProb.flatMap((read, layer) =>
      read.map((logProb, question) => ({
        question,
        layer,
        vanilla: logProb,
        subject: subject.logProb[layer]![question]!,
        vanillaFirst: vanilla.first[layer]![question]!,
        subjectFirst: subject.first[layer]![question]!,
      })),
    );
  });
}
