import type { ExperimentTimes } from "./against/experiment.ts";
import type { PeerRow } from "./peers/race.ts";
import { type Spread, showPercent, showRatio, showSpread } from "./spread.ts";

/** The commit that `--against` is meant for: the speed from which the targets for whole passes and for the experiment count. */
export const baseline = "5f26c17";

/** How a figure is judged: by its median. */
interface Bound {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Rows whose name and shape match must keep a bound. */
interface Target extends Bound {
  readonly rows: RegExp;
}

/** Shares of the copy kernel's speed, for rows whose time is that of the memory they move. */
const ofCopy: readonly Target[] = [
  {
    rows: /^(scatter_rows|fill|permute|embedding|top_k|cast|mul by a row|softmax|cross_entropy|kl_divergence) (?!backward)/,
    atLeast: 0.4,
  },
];

/** Times as fast as at the {@link baseline}. */
const ofBaseline: readonly Target[] = [
  { rows: /^pass decode tiny-llama/, atLeast: 2.5 },
  { rows: /^pass training step tiny-llama/, atLeast: 2 },
];

/** Time of the default experiment on SwiftShader, of its time at the {@link baseline}. */
const experiment: Bound = { atMost: 0.6 };

/** Times as fast as the better of the two libraries in TypeScript, and as onnxruntime, whose kernels for single rows are its best. */
const ofPeers = {
  "jax-js and tfjs": [{ rows: /./, atLeast: 4 }],
  onnxruntime: [
    { rows: /^(softmax|rms_norm|swiglu) /, atLeast: 1.8 },
    { rows: /^(matmul|attention|mlp_step) /, atLeast: 2 },
  ],
} as const satisfies Record<string, readonly Target[]>;

/** Whether a row met a target. */
export interface Verdict {
  readonly row: string;
  /** What is compared, such as "of copy". */
  readonly figure: string;
  readonly value: Spread;
  readonly bound: Bound;
  readonly passed: boolean;
}

function verdictsOf(targets: readonly Target[], row: string, figure: string, value: Spread): Verdict[] {
  return targets
    .filter(({ rows }) => rows.test(row))
    .slice(0, 1)
    .map(({ rows: _, ...bound }) => ({ row, figure, value, bound, passed: keeps(value.median, bound) }));
}

const keeps = (value: number, { atLeast = -Infinity, atMost = Infinity }: Bound) => value >= atLeast && value <= atMost;

/** Verdicts on a case of the bench whose time is that of its memory. */
export function judgeCase(row: {
  readonly name: string;
  readonly shape: string;
  readonly gflops: number | null;
  readonly shareOfPeak: Spread | null;
}): Verdict[] {
  if (!row.shareOfPeak || row.gflops !== null) return [];
  return verdictsOf(ofCopy, `${row.name} ${row.shape}`, "of copy", row.shareOfPeak);
}

/** Verdicts on a row of `--against`. @param times how many times as fast as the other commit */
export function judgeAgainst(name: string, times: Spread): Verdict[] {
  return verdictsOf(ofBaseline, name, "× the baseline", times);
}

/** The verdict on the default experiment, for which there is a target on SwiftShader. */
export function judgeExperiment(adapter: string, { preset, share }: ExperimentTimes): Verdict[] {
  if (preset !== "default" || !/swiftshader/i.test(adapter)) return [];
  const passed = keeps(share.median, experiment);
  return [{ row: "experiment", figure: "of the baseline's time", value: share, bound: experiment, passed }];
}

/** Verdicts on a row of `--peers`, against those peers that were timed. */
export function judgePeers({ name, shape, entries }: PeerRow): Verdict[] {
  const timesOf = (...names: string[]) =>
    entries
      .flatMap((entry) => (names.includes(entry.name) && entry.times ? [entry.times] : []))
      .toSorted((a, b) => a.median - b.median)[0];
  const groups = { "jax-js and tfjs": timesOf("jax-js", "tfjs"), onnxruntime: timesOf("onnxruntime") };
  return (Object.keys(groups) as (keyof typeof groups)[]).flatMap((group) => {
    const times = groups[group];
    return times ? verdictsOf(ofPeers[group], `${name} ${shape}`, `× ${group}`, times) : [];
  });
}

/** "pass: 52 (49–55) % of copy, at least 40". */
export function describeVerdict({ figure, value, bound, passed }: Verdict): string {
  const percent = figure.startsWith("of");
  const show = percent ? showPercent : showRatio;
  const [word, limit] = bound.atLeast === undefined ? ["at most", bound.atMost!] : ["at least", bound.atLeast];
  return `${passed ? "pass" : "FAIL"}: ${showSpread(value, show)}${percent ? " %" : ""} ${figure}, ${word} ${show(limit)}`;
}
