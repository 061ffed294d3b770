import type { Device, Tensor, Tuning } from "@lethe/tensor";
import { measure } from "../../packages/lab/src/profile/measure.ts";
import { ratioOf, type Spread, showRatio, showSpread } from "../spread.ts";
import { type PlanName, type TuningSubject, tuningSubjects } from "./subjects.ts";
import { better, fastest, type Trial } from "./winner.ts";

/** Candidates that take this many times as long as the plan's own choice are left after one run. */
const hopeless = 1.5;
/** A subject whose own choice takes longer is left out on a software adapter, unless `large`. */
const mostSeconds = 0.25;

/**
 * Checks and times the candidates of every plan on this adapter, and keeps those that are faster than the plan's own choice.
 * @param filter only subjects whose plan or sizes contain this
 */
export async function tune(device: Device, { filter, large }: { readonly filter: string; readonly large: boolean }) {
  const tables: Record<PlanName, Record<string, unknown>> = {
    matmul: {},
    attention: {},
    attentionBackward: {},
    rows: {},
  };
  for (const subject of tuningSubjects(device.capabilities)) {
    if (!`${subject.plan} ${subject.key}`.includes(filter)) continue;
    const { winner, remark } = await trySubject(device, subject, large);
    if (winner) tables[subject.plan][subject.key] = winner.candidate;
    console.log(`${subject.plan} ${subject.key}: ${remark}`);
    device.trim();
  }
  return { adapter: device.adapterName, ...tables } as Tuning;
}

/** Runs some work as a device does it that was opened with one choice. */
function choosing<T>(device: Device, { plan, key }: TuningSubject, candidate: unknown, work: () => T): T {
  const { capabilities } = device;
  const none = { adapter: device.adapterName, matmul: {}, attention: {}, attentionBackward: {}, rows: {} };
  const tuning = { ...none, [plan]: { [key]: candidate } };
  Object.assign(device, { capabilities: { ...capabilities, tuning } });
  try {
    return work();
  } finally {
    Object.assign(device, { capabilities });
  }
}

async function trySubject(
  device: Device,
  subject: TuningSubject,
  large: boolean,
): Promise<{ winner?: Trial; remark: string }> {
  using _ = device.scope("tuning");
  const works = subject.prepare(device);
  const all = () => works.map((work) => work());
  const once = await secondsOf(device, all);
  if (once > mostSeconds && device.capabilities.software && !large)
    return { remark: `left out, a run takes ${once.toFixed(1)} s here; --large tries it` };
  const expected = await valuesOf(device, all);
  const trials: Trial[] = [];
  const wrong: string[] = [];
  for (const candidate of subject.candidates) {
    const run = () => choosing(device, subject, candidate, all);
    if ((await secondsOf(device, run)) > hopeless * once) continue;
    if (!agree(expected, await valuesOf(device, run))) {
      wrong.push(JSON.stringify(candidate));
      continue;
    }
    const [own, its] = await measure(device, [all, run]);
    trials.push({ candidate, times: ratioOf(own!, its!) });
  }
  const said = wrong.length > 0 ? `; wrong here: ${wrong.join(", ")}` : "";
  const first = fastest(trials);
  if (!first) return { remark: `the plan's own choice stays${said}` };
  // The fastest of many is also the luckiest, so it must win once more.
  const [own, its] = await measure(device, [all, () => choosing(device, subject, first.candidate, all)]);
  const again: Trial = { candidate: first.candidate, times: ratioOf(own!, its!) };
  const show = (times: Spread) => `${showSpread(times, showRatio)}×`;
  if (!better(again.times))
    return { remark: `the plan's own choice stays, ${show(again.times)} beside the next${said}` };
  return { winner: again, remark: `${JSON.stringify(first.candidate)}, ${show(again.times)}${said}` };
}

async function secondsOf(device: Device, run: () => unknown): Promise<number> {
  {
    using _ = device.scope("first run");
    run(); // compiles
  }
  await device.idle();
  const start = performance.now();
  {
    using _ = device.scope("run");
    run();
  }
  await device.idle();
  return (performance.now() - start) / 1000;
}

async function valuesOf(device: Device, run: () => Tensor[]): Promise<ArrayLike<number>[]> {
  using _ = device.scope("values");
  return await Promise.all(run().map((tensor) => tensor.read()));
}

/** Whether two outputs are the same up to rounding. The plans' own choices are checked against float64 by the bench and by tests. */
function agree(expected: readonly ArrayLike<number>[], found: readonly ArrayLike<number>[]): boolean {
  return expected.every((values, output) => {
    const others = found[output]!;
    let [largest, apart] = [1, 0];
    for (let i = 0; i < values.length; i++) {
      largest = Math.max(largest, Math.abs(values[i]!));
      const gap = Math.abs(values[i]! - others[i]!);
      if (!(gap <= apart)) apart = gap; // also where it is NaN
    }
    return apart <= 1e-4 * largest;
  });
}
