import { judgeNamed } from "@lethe/unlearn";
import { programs } from "#programs";
import { describePrompt } from "../subjects/compared.ts";
import { subjectKind } from "../subjects/list.ts";
import { conceptTable } from "./concept-table.ts";
import { type Html, html } from "./html.ts";
import type { Panel, ReportCell } from "./panels.ts";
import { listed, table } from "./tables.ts";

/** What was run, on what, and with which settings. */
export function configuration(
  panels: readonly Panel[],
  adapters: readonly string[],
  command: string | undefined,
): Html {
  const cells = panels.flatMap((panel) => panel.cells);
  const rows: [string, string | Html][] = [
    ["command", command === undefined ? "not on record" : html`<code>${command}</code>`],
    ["versions", programs()],
    ["adapter", listed(adapters) || "not on record"],
    ["seeds", listed(cells.map(({ config }) => String(config.seed)))],
    ["questions", listed(cells.map(questions))],
    ["asked by", listed(cells.map(({ config }) => describePrompt(config.evaluation.prompt)))],
    ["judge", listed(cells.map(({ config: { evaluation } }) => judge(evaluation)))],
    ...[...new Set(cells.map(({ config }) => config.model.name))].map((name): [string, Html] => [
      `model ${name}`,
      vanillaModel(cells.filter(({ config }) => config.model.name === name)),
    ]),
  ];
  return html`<table class="facts">${rows.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>\n`)}</table>
<h3>Concepts</h3>
${conceptTable(cells)}
<h3>Training</h3>
${subjectTable(panels)}
<details><summary>Everything that decides each cell</summary>
${cells.map((cell) => html`<pre>${JSON.stringify(cell.config, null, 1)}</pre>\n`)}</details>
<p class="quiet">Times are kept apart from results, in <code>timings/</code>.</p>`;
}

function questions({ config }: ReportCell): string {
  const { targetQuestions, unrelatedQuestions, leastQuestions, known, maxAnswerTokens } = config.evaluation;
  const left = known ? ", without those that the vanilla model answers wrong" : "";
  return (
    `up to ${targetQuestions} target and ${unrelatedQuestions} unrelated questions a concept${left}, and of each kind at least ` +
    `${leastQuestions} that can be compared; greedy answers of up to ${maxAnswerTokens} tokens`
  );
}

function judge({ judge: { name, threshold } }: ReportCell["config"]["evaluation"]): string {
  return `${name}: ${judgeNamed(name).description}; right from ${threshold}`;
}

function vanillaModel(cells: readonly ReportCell[]): Html {
  const lowest = (kind: "target" | "unrelated") => {
    const judged = cells.map(({ subject }) => subject.vanilla[kind]).filter(({ judged }) => judged > 0);
    const shares = judged.map(({ judged, right }) => right / judged);
    return shares.length === 0 ? "no expected answers" : `${Math.round(Math.min(...shares) * 1000) / 10}%`;
  };
  return html`The SHA-256 of its files begins with <code>${cells[0]!.config.model.sha256.slice(0, 16)}</code>. Vanilla answers that the judge found
right, lowest over concepts: target ${lowest("target")}, unrelated ${lowest("unrelated")}.`;
}

/** Everything that decides the subjects: one row a field of their configuration, one column a model and subject. */
function subjectTable(panels: readonly Panel[]): Html {
  const columns = panels.map(({ cells }) =>
    cells.map(({ config: { subject } }) => {
      const { name, source = UNSET } = subjectKind(subject).label(subject);
      return new Map([["name in files", name], ["source", source], ...fields(subject)]);
    }),
  );
  const names = new Set(columns.flat().flatMap((cell) => [...cell.keys()]));
  return table(
    "Training",
    ["", ...panels.map(({ title }) => title)],
    Array.from(names, (name) => [
      name,
      ...columns.map((cells) => listed(cells.map((cell) => cell.get(name) ?? UNSET))),
    ]),
  );
}

const UNSET = "—";

/** Hashes and numbers tell readers less than the names beside them; a method's name is the subject's. */
const HIDDEN = ["kind", "method", "sha256", "id"];

/** That every weight is trained goes without saying. */
const isUsual = (key: string, entry: unknown) => key === "train" && entry === "all";

/** The fields of a configuration in words, nested ones too: "training: learning rate" and "0.0005". */
function fields(value: object, path: readonly string[] = []): [string, string][] {
  return Object.entries(value)
    .filter(([key, entry]) => !HIDDEN.includes(key) && !isUsual(key, entry))
    .flatMap(([key, entry]) => {
      const words = [...path, key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)];
      if (entry !== null && typeof entry === "object") return fields(entry, words);
      return [[words.join(": "), entry === null ? UNSET : String(entry)] as [string, string]];
    });
}
