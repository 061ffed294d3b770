import { type Html, html } from "../html.ts";
import { listed, score, table } from "../tables.ts";
import type { ControlComparison, Estimate, Finding } from "./finding.ts";
import { LEAST_AGREEMENT } from "./judge.ts";

/** The findings at the head of the page: those over all methods, and folded, those of each method. */
export function findingsSection(findings: readonly Finding[]): Html {
  if (findings.length === 0) return html``;
  const all = findings.filter(({ overall }) => overall);
  const single = findings.filter(({ overall }) => !overall);
  const methods = [...new Set(single.map(({ methods }) => listed(methods)))];
  return html`
<h2>Findings</h2>
<p>What the paper claims, the number here and the paper's, and whether the claim holds by the criterion beside it. ${reading(findings)}</p>
${findingsTable("Findings", all)}
<p class="quiet">In brackets: the middle 95% of the bootstrap's draws. A verdict is given where at least ${LEAST_AGREEMENT * 100}% of them agree with it;
with few concepts or questions they say little. Numbers are ${listed(all.map(({ over }) => over))}.</p>
${
  single.length > 0
    ? html`<details><summary>Findings of each method</summary>
${methods.map((method) =>
  findingsTable(
    `Findings: ${method}`,
    single.filter(({ methods }) => listed(methods) === method),
  ),
)}</details>`
    : ""
}`;
}

/** How controls are to be read, or that there is none. */
function reading(findings: readonly Finding[]): Html {
  if (findings.every(({ controls }) => controls.length === 0))
    return html`<strong>There is no control in this report</strong>, so none of this shows that knowledge survived unlearning.`;
  return html`Under it stands the same number of the controls. Only what exceeds them says something about unlearning.`;
}

/** One row a claim, one column a model. */
function findingsTable(name: string, findings: readonly Finding[]): Html {
  const models = [...new Set(findings.map(({ model }) => model))];
  const claims = [...new Map(findings.map((finding) => [finding.id, finding])).values()];
  return table(
    name,
    [name === "Findings" ? "the paper's claim" : name.replace("Findings: ", ""), "paper", ...models],
    claims.map(({ id, claim, source, measure, criterion, paper }) => [
      html`<strong>${claim}</strong> <span class="quiet">(${source})<br>Number: ${measure}. Holds if ${criterion}.</span>`,
      paper,
      ...models.map((model) => {
        const finding = findings.find((finding) => finding.id === id && finding.model === model);
        return finding ? said(finding) : "";
      }),
    ]),
    "stacked",
  );
}

/** The verdict, the number and the controls of one finding. */
function said({ verdict, here, also, reason, controls }: Finding): Html {
  const sign = { holds: "✓", "does not hold": "✗", "cannot be said": "?" }[verdict];
  const lines = [
    html`<strong class="verdict">${sign} ${verdict}</strong>`,
    ...(here ? [html`<strong>${showEstimate(here)}</strong>`] : []),
    ...[also, reason].filter((text) => text !== undefined).map((text) => html`<span class="quiet">${text}</span>`),
    ...controls.map(comparison),
  ];
  return html`${lines.map((line, i) => html`${i > 0 ? html`<br>` : ""}${line}`)}`;
}

function comparison({ control, number, excess, exceeded }: ControlComparison): Html {
  return html`${control} ${show(number.value)}, ${describeExcess(exceeded)} <span class="quiet">(difference ${showEstimate(excess)})</span>`;
}

/** Whether a number goes beyond its control's, in words. */
export function describeExcess(exceeded: boolean | undefined): string {
  if (exceeded === undefined) return "no interval";
  return exceeded ? "exceeded" : "not exceeded";
}

/** "0.76 [0.73, 0.79]" */
export function showEstimate({ value, interval }: Estimate): string {
  return interval ? `${show(value)} [${interval.map(show).join(", ")}]` : show(value);
}

/** Two decimals, or as many as show how far a number is from 1, or from 0. */
function show(value: number): string {
  const away = Math.abs(1 - value);
  if (away > 0 && away < 0.005) return value.toFixed(5);
  if (value !== 0 && Math.abs(value) < 0.005) return value.toPrecision(1).replace("-", "−");
  return score(value);
}
