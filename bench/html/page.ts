import { type Html, html, trusted } from "../../packages/lab/src/report/html.ts";
import { style } from "../../packages/lab/src/report/style.ts";
import { table } from "../../packages/lab/src/report/tables.ts";
import type { AgainstRow } from "../against/run.ts";
import type { Library } from "../peers/peer.ts";
import type { PeerRow } from "../peers/race.ts";
import type { Results } from "../results.ts";
import type { Row } from "../row.ts";
import { showPercent, showRatio, showSpread } from "../spread.ts";
import { describeVerdict, judgeCase, judgePeers, type Verdict } from "../targets.ts";
import { chart } from "./charts.ts";

const milliseconds = (seconds: number) => (seconds * 1e3).toPrecision(3);
const fixed = (value: number | null) => (value === null ? "" : value.toPrecision(3));
const verdictsShown = (verdicts: readonly Verdict[]) => verdicts.map(describeVerdict).join("; ");

/** The results as one page that loads nothing: tables and charts, light or dark as the reader's system is. */
export async function benchPage(results: Results): Promise<string> {
  const { adapter, roofline, rows = [], left = [], libraries, peers, against, experiment, commit, verdicts } = results;
  const parts = [
    ...(rows.length > 0 ? await casesParts(rows) : []),
    ...(peers && libraries ? [await peersPart(libraries, peers)] : []),
    ...(against ? [await againstPart(against, commit!)] : []),
  ];
  const peaks = roofline
    ? html`<p>Peaks: ${(roofline.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s (FMA kernel), ${(roofline.bytesPerSecond / 1e9).toFixed(2)} GB/s (copy kernel).</p>`
    : html``;
  const time = experiment
    ? html`<p>The ${experiment.preset} experiment takes ${showSpread(experiment.share, showPercent)} % of its time at ${commit!.slice(0, 7)}.</p>`
    : html``;
  const notRun =
    left.length > 0
      ? html`<h2>Left out</h2><ul>${left.map(({ name, why }) => html`<li>${name}: ${why}</li>`)}</ul>`
      : html``;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Lethe: how fast</title>
<style>${trusted(style)}</style>
</head>
<body>
<h1>How fast</h1>
<p class="lead">${adapter}</p>
${peaks}
${targetsPart(verdicts)}
${time}
${parts}
${notRun}
</body>
</html>
`.text;
}

function targetsPart(verdicts: readonly Verdict[]): Html {
  if (verdicts.length === 0) return html``;
  const met = verdicts.filter(({ passed }) => passed).length;
  return html`<h2>Targets</h2>
<p>${met} of ${verdicts.length} met.</p>
${table(
  "Targets",
  ["row", "verdict"],
  verdicts.map((verdict) => [verdict.row, describeVerdict(verdict)]),
  "stacked",
)}`;
}

/** The cases by what they are of: the first word of a name, where many share it. */
function groupsOf(rows: readonly Row[]): [title: string, rows: Row[]][] {
  const titles = { matmul: "Matrix products", attention: "Attention", pass: "Whole passes" } as const;
  const titleOf = ({ name }: Row) => titles[name.split(" ")[0] as keyof typeof titles] ?? "Other kernels";
  return [...new Set(rows.map(titleOf))].map((title) => [title, rows.filter((row) => titleOf(row) === title)]);
}

async function casesParts(rows: readonly Row[]): Promise<Html[]> {
  const parts: Html[] = [];
  for (const [title, own] of groupsOf(rows)) {
    const shares = own.flatMap(({ name, shape, shareOfPeak: value }) =>
      value ? [{ label: `${name} ${shape}`, value }] : [],
    );
    const cells = own.map((row) => [
      `${row.name} ${row.shape}`,
      milliseconds(row.seconds),
      fixed(row.gflops),
      fixed(row.gigabytesPerSecond),
      row.itemsPerSecond ? `${row.itemsPerSecond.toFixed(1)} ${row.unit}/s` : "",
      row.timesPlain ? showSpread(row.timesPlain, showRatio) : "",
      row.shareOfPeak ? showSpread(row.shareOfPeak, showPercent) : "",
      verdictsShown(judgeCase(row)),
    ]);
    const head = ["case", "ms", "GFLOP/s", "GB/s", "throughput", "× plain", "% of peak", "target"];
    parts.push(html`<h2>${title}</h2>
${await chart(`${title}, share of a peak`, "% of the peak", [{ title, rows: shares }], 100)}
${table(title, head, cells)}`);
  }
  return parts;
}

async function peersPart(libraries: readonly Library[], rows: readonly PeerRow[]): Promise<Html> {
  const names = libraries.map(({ name }) => name);
  const panels = names.slice(1).map((title) => ({
    title,
    rows: rows.flatMap(({ name, shape, entries }) => {
      const value = entries.find((entry) => entry.name === title)?.times;
      return value ? [{ label: `${name} ${shape}`, value }] : [];
    }),
  }));
  const cells = rows.map((row) => [
    `${row.name} ${row.shape}`,
    ...row.entries.map(({ seconds, times, dispatches, problem }, i) => {
      if (seconds === null) return problem ?? "";
      const count = dispatches === null ? "" : `, ${dispatches} dispatches`;
      return `${milliseconds(seconds)} ms${i > 0 ? `, ${showSpread(times!, showRatio)}×` : ""}${count}`;
    }),
    verdictsShown(judgePeers(row)),
  ]);
  return html`<h2>Beside other libraries</h2>
<p>${libraries.map(({ name, version }) => `${name} ${version}`).join(", ")}. PyTorch runs on the same cores without an adapter.</p>
${await chart("Times as slow as Lethe", "× Lethe's time", panels)}
${table("Beside other libraries", ["task", ...names, "targets"], cells)}`;
}

async function againstPart(rows: readonly AgainstRow[], commit: string): Promise<Html> {
  const title = `Beside ${commit.slice(0, 7)}`;
  const cells = rows.map(({ name, seconds, secondsBefore, times, verdicts }) => [
    name,
    milliseconds(secondsBefore),
    milliseconds(seconds),
    showSpread(times, showRatio),
    verdictsShown(verdicts),
  ]);
  const shown = rows.map(({ name, times }) => ({ label: name, value: times }));
  return html`<h2>${title}</h2>
${await chart(`${title}, times as fast`, "times as fast as before", [{ title, rows: shown }])}
${table(title, ["case", "ms before", "ms", "times as fast", "target"], cells)}`;
}
