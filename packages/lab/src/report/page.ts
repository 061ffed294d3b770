import { answers } from "./answers.ts";
import { configuration } from "./configuration.ts";
import { type Html, html, trusted } from "./html.ts";
import { limits } from "./limits.ts";
import { type Panel, panelsOf, type ReportCell } from "./panels.ts";
import type { StudySections } from "./section.ts";
import { style } from "./style.ts";
import { training } from "./training.ts";

/** What a report is made from. */
export interface Reported {
  /** By model, then concept, then subject. */
  readonly cells: readonly ReportCell[];
  /** The adapters that did the work, each once. */
  readonly adapters: readonly string[];
  /** The part of each study. */
  readonly studies: readonly (StudySections & { readonly title: string })[];
}

/**
 * Makes a report: one HTML page that loads nothing, and the files beside it. It knows no study: all that is about one comes from the
 * study itself.
 * @returns the content of each file by its path from the report's folder; the page is `report.html`
 */
export async function renderReport({ cells, adapters, studies }: Reported): Promise<Record<string, string>> {
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
${scope(panels)}
${studies.map(({ summary }) => summary)}
<p class="quiet"><a href="#limits">What these numbers cannot show.</a></p>
${[...studies, trained].map(({ sections }) => sections.map(({ title, body }) => html`\n<h2>${title}</h2>\n${body}\n`))}
<h2>Answers before and after</h2>
${answers(cells)}

<h2 id="limits">What these numbers cannot show</h2>
${studies.map(({ title, limits }) => html`<h3>${title}</h3>\n${limits}\n`)}
<h3>All studies</h3>
${limits(cells)}

<h2>Configuration</h2>
${configuration(panels, adapters)}
</body>
</html>
`;
  return Object.assign({ "report.html": page.text }, ...[...studies, trained].map(({ files }) => files));
}

function scope(panels: readonly Panel[]): Html {
  const models = [...new Set(panels.map(({ model }) => model))].map((name) => {
    const cells = panels.filter(({ model }) => model === name).flatMap(({ cells }) => cells);
    return `${name} (${[...new Set(cells.map(({ config }) => config.concept.name))].join(", ")})`;
  });
  const subjects = [...new Set(panels.map(({ subject }) => subject))];
  return html`<p>${models.length === 1 ? "Model and concepts" : "Models and their concepts"}: ${models.join("; ")}.
Unlearned with ${subjects.join(", ")}: one concept at a time, each time from the vanilla model.</p>`;
}
