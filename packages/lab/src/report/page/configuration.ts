import type { CellConfig, CellResult } from "../../experiment/cell.ts";
import type { Results } from "../results.ts";
import { type Html, html } from "./html.ts";
import { table } from "./tables.ts";

/** What was run, on what, with which settings. */
export function configuration({ cells, adapters }: Results): Html {
  const configs = cells.map((cell) => cell.config);
  return html`<h2 id="configuration">Configuration</h2>
<table>${[
    ["adapter", listed(adapters) || "not on record"] as const,
    ["preset", listed(configs.map((config) => config.preset))] as const,
    ["seed", listed(configs.map((config) => String(config.seed)))] as const,
    ...models(cells),
    ["questions", listed(configs.map(questions))] as const,
  ].map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>\n`)}</table>
<h3>Training</h3>
${trainings(configs)}
<p class="quiet">Times are kept apart from results, in <code>timings/</code> and <code>run.json</code>.</p>`;
}

function models(cells: readonly CellResult[]): [string, Html][] {
  const names = [...new Set(cells.map(({ config }) => config.model.name))];
  return names.map((name) => {
    const own = cells.filter(({ config }) => config.model.name === name);
    const { model, evaluation } = own[0]!.config;
    const layers = own[0]!.restoration.curves.m.paper.losses.length;
    const exact = (share: number | null) =>
      share === null ? "no reference answers" : `${Math.round(share * 1000) / 10}%`;
    const lowest = (shares: (number | null)[]) =>
      shares.reduce((low, share) => (low === null || share === null ? null : Math.min(low, share)), 1);
    return [
      `model ${name}`,
      html`${layers} layers, windows of ${2 * evaluation.windowRadius + 1}; files' SHA-256 <code>${model.sha256.slice(0, 16)}…</code>.
Vanilla answers that match the data's word for word, lowest over concepts: target
${exact(lowest(own.map(({ vanilla }) => vanilla.targetExact)))}, unrelated
${exact(lowest(own.map(({ vanilla }) => vanilla.unrelatedExact)))}. Retain text:
${listed(own.map(({ config }) => `${config.retain.name} for ${config.concept.name}`))}.`,
    ];
  });
}

function questions({ evaluation }: CellConfig): string {
  const { targetQuestions, unrelatedQuestions, maxAnswerTokens } = evaluation;
  return `up to ${targetQuestions} target and ${unrelatedQuestions} unrelated a concept; greedy answers of up to ${maxAnswerTokens} tokens`;
}

/** One column for each kind of training in use, one line a setting. */
function trainings(configs: readonly CellConfig[]): Html {
  const kinds = new Map<string, { recipe: string; training: CellConfig["training"]; models: string[] }>();
  for (const { recipe, training, model } of configs) {
    const key = JSON.stringify([recipe, training]);
    kinds.set(key, { recipe, training, models: [...(kinds.get(key)?.models ?? []), model.name] });
  }
  const columns = [...kinds.values()];
  const rows: [string, (kind: (typeof columns)[number]) => string | number][] = [
    ["models", ({ models }) => listed(models)],
    ["recipe", ({ recipe }) => recipe],
    ["loss", ({ training }) => objective(training.objective)],
    ["learning rate (peak)", ({ training }) => training.learningRate.toExponential()],
    ["epochs × steps", ({ training }) => `${training.epochs} × ${training.stepsPerEpoch ?? "whole text"}`],
    ["warm-up, then linear to 0", ({ training }) => `${training.warmupEpochs} epoch`],
    ["batch × accumulation", ({ training }) => `${training.batchSize} × ${training.gradientAccumulation}`],
    ["tokens a text, at most", ({ training }) => training.maxTokens],
    ["AdamW β₁, β₂, ε", ({ training }) => `${training.beta1}, ${training.beta2}, ${training.epsilon}`],
    ["weight decay", ({ training }) => training.weightDecay],
    ["gradient norm clipped at", ({ training }) => training.clipNorm],
  ];
  return table(
    ["", ...columns.map(({ training }) => training.objective.name)],
    rows.map(([name, value]) => [name, ...columns.map((column) => String(value(column)))]),
  );
}

function objective(loss: CellConfig["training"]["objective"]): string {
  if (loss.name === "npo") return `NPO on the forget text, β = ${loss.beta}`;
  const retain = loss.retain === "nll" ? `${loss.retainWeight} · NLL(retain)` : "KL(vanilla ‖ model) on retain";
  return `−NLL(forget) + ${retain}`;
}

function listed(values: readonly string[]): string {
  return [...new Set(values)].join("; ");
}
