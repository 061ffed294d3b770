import { isControl } from "../subjects/controls.ts";
import { answers } from "./answers.ts";
import { configuration } from "./configuration.ts";
import { findingsFiles } from "./findings/files.ts";
import type { Finding } from "./findings/finding.ts";
import { findingsSection } from "./findings/section.ts";
import { type Html, html, trusted } from "./html.ts";
import { limits } from "./limits.ts";
import { panelsOf, type ReportCell, subjectTitle } from "./panels.ts";
import type { StudySections } from "./section.ts";
import { style } from "./style.ts";
import { savedCsv } from "./tables.ts";
import { training } from "./training.ts";

/** What a report is made from. */
export interface Reported {
  /** By model, then concept, then subject. */
  readonly cells: readonly ReportCell[];
  /** The adapters that did the work, each once. */
  readonly adapters: readonly string[];
  /** Ids of cells that have no result yet. Default: none. */
  readonly missing?: readonly string[];
  /** The part of each study. */
  readonly studies: readonly (StudySections & { readonly title: string })[];
  /** What the studies and the answers say about the paper's claims. */
  readonly findings: readonly Finding[];
  /** The command that makes the results again, as it is typed, where it is known. */
  readonly command?: string | undefined;
}

/**
 * Makes a report: one HTML page that loads nothing, and the files beside it. It knows no study: all that is about one comes from the
 * study itself.
 * @returns the content of each file by its path from the report's folder; the page is `report.html`
 */
export async function renderReport({
  cells,
  adapters,
  missing = [],
  studies,
  findings,
  command,
}: Reported): Promise<Record<string, string>> {
  const panels = panelsOf(cells);
  const trained = await training(cells);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Lethe: what came back</title>
<style>${trusted(style)}</style>
</head>
<body>
<h1>What came back</h1>
<p class="lead">A language model was trained to forget. Is the knowledge gone, or only out of reach?</p>
${scope(cells)}
${absent(missing)}
${findingsSection(findings)}
<p class="quiet"><a href="#limits">What these numbers cannot show.</a></p>
<h2>Results</h2>
${studies.map(({ summary }) => summary)}
${[...studies, trained].map(({ sections }) => sections.map(({ title, body }) => html`\n<h2>${title}</h2>\n${body}\n`))}
<h2>Answers before and after</h2>
${answers(cells)}

<h2 id="limits">What these numbers cannot show</h2>
${studies.map(({ title, limits }) => html`<h3>${title}</h3>\n${limits}\n`)}
<h3>All studies</h3>
${limits(cells)}

<h2>Configuration</h2>
${configuration(panels, adapters, command)}
</body>
</html>
`;
  const data = Object.entries(savedCsv(page.text)).map(([name, text]) => [`data/${name}`, text]);
  return Object.assign(
    { "report.html": page.text },
    ...[...studies, trained].map(({ files }) => files),
    Object.fromEntries(data),
    findingsFiles(findings),
  );
}

/** Which models unlearned which concepts, by which methods, and beside which controls. */
function scope(cells: readonly ReportCell[]): Html {
  const models = [...new Set(cells.map(({ config }) => config.model.name))].map((name) => {
    const own = cells.filter(({ config }) => config.model.name === name);
    return `${name} (${[...new Set(own.map(({ config }) => config.concept.name))].join(", ")})`;
  });
  const [unlearned, controls] = [false, true].map((wanted) => [
    ...new Set(cells.filter((cell) => isControl(cell) === wanted).map(subjectTitle)),
  ]);
  const beside = controls!.length > 0 ? html` Controls: ${controls!.join(", ")}.` : html` No controls.`;
  const trained = cells.some(({ config }) => config.subject.kind === "unlearned");
  const how = trained ? " Methods unlearned one concept at a time, each time from the vanilla model." : "";
  return html`<p>${models.length === 1 ? "Model and concepts" : "Models and their concepts"}: ${models.join("; ")}.
Unlearned models: ${unlearned!.join(", ")}.${how}${beside}</p>`;
}

/** The cells that this report lacks; nothing where it has all. */
function absent(missing: readonly string[]): Html {
  if (missing.length === 0) return html``;
  return html`<p><strong>${missing.length === 1 ? "One cell is" : `${missing.length} cells are`} missing</strong>, and nothing here is said of
${missing.length === 1 ? "it" : "them"}: ${missing.join(", ")}.</p>`;
}
