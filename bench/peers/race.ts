import { setTimeout as pause } from "node:timers/promises";
import { median } from "../../packages/lab/src/profile/measure.ts";
import { ratioOf, type Spread } from "../spread.ts";
import type { DispatchCount } from "./dispatches.ts";
import type { Contender, ContenderWork } from "./peer.ts";
import { checkOutput, type Task } from "./tasks.ts";

/** One library's result on a task. */
export interface Entry {
  readonly name: string;
  /** Seconds of a run, the median of the rounds; null where it was not timed. */
  readonly seconds: number | null;
  /** Dispatches of a run; null where they are unknown. */
  readonly dispatches: number | null;
  /** How many times Lethe's time it takes, in the same rounds. */
  readonly times: Spread | null;
  /** Why it was not timed. */
  readonly problem: string | null;
}

/** A task of the table, with an entry for each library; Lethe's is the first. */
export interface PeerRow {
  readonly name: Task["kind"];
  readonly shape: string;
  readonly entries: readonly Entry[];
  /** Seconds that one round of all took. */
  readonly roundSeconds: number;
}

interface Runner {
  readonly name: string;
  readonly work: ContenderWork;
  /** Dispatches of one run; null where they are not of this process's WebGPU. */
  readonly perRun: number | null;
  readonly repeats: number;
}

const roundSeconds = 0.05;
const mostRepeats = 30;
/** Milliseconds between two turns, for the threads of a library that spin for a while after its work. */
const settling = 20;
const roundsFor = (seconds: number) => (seconds < 2 ? 9 : seconds < 6 ? 5 : 3);

/**
 * Lets every library do a task: each output is checked against float64 first, then all take turns, round by round. A library whose output is
 * wrong, or which later starts fewer dispatches than in the run that was checked, is not timed. The first of them is Lethe.
 * @throws when Lethe's own output is wrong
 * @param faults what devices have reported by themselves, such as a submission that they refused
 */
export async function race(
  task: Task,
  contenders: readonly Contender[],
  { counter, faults }: { readonly counter: DispatchCount; readonly faults: string[] },
): Promise<PeerRow> {
  const problems = new Map<string, string>();
  const runners: Runner[] = [];
  const samples = new Map<string, number[]>();
  const attempt = async <T>(name: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      faults.length = 0;
      const result = await work();
      if (faults.length > 0) throw new Error(`its device reported: ${faults[0]}`);
      return result;
    } catch (error) {
      problems.set(name, error instanceof Error ? error.message : String(error));
      return null;
    }
  };
  const timed = async ({ name, work, perRun, repeats }: Runner) => {
    const { result, count } = await counter.of(() => work.time(repeats));
    if (perRun !== null && count !== perRun * repeats)
      throw new Error(`${name} started ${count} dispatches in place of ${perRun} × ${repeats}`);
    return result;
  };

  for (const contender of contenders) {
    const runner = await attempt(contender.name, () => warmed(contender, task, counter, timed));
    if (runner) runners.push(runner);
    else if (!problems.has(contender.name)) problems.set(contender.name, "has no such operation");
  }
  const round = async () => {
    for (const runner of runners.filter(({ name }) => !problems.has(name))) {
      await pause(settling);
      const seconds = await attempt(runner.name, () => timed(runner));
      if (seconds !== null) samples.set(runner.name, [...(samples.get(runner.name) ?? []), seconds]);
    }
  };
  const start = performance.now();
  await round();
  const wholeRound = (performance.now() - start) / 1000;
  for (let i = roundsFor(wholeRound); i > 1; i--) await round();

  const lethe = contenders[0]!.name;
  if (problems.has(lethe)) throw new Error(`${task.kind} ${task.shape}: ${lethe} ${problems.get(lethe)}`);
  const own = samples.get(lethe)!;
  const entries = contenders.map(({ name }): Entry => {
    const problem = problems.get(name) ?? null;
    const runner = runners.find((runner) => runner.name === name);
    if (problem || !runner) return { name, seconds: null, dispatches: null, times: null, problem };
    const seconds = samples.get(name)!;
    const dispatches = runner.perRun ?? runner.work.dispatches ?? null;
    return { name, seconds: median(seconds), dispatches, times: ratioOf(seconds, own), problem };
  });
  for (const { work } of runners) await work.dispose?.();
  return { name: task.kind, shape: task.shape, entries, roundSeconds: wholeRound };
}

/** Checks a library's output, counts its dispatches, and finds how many runs make a round. Null where it has no such operation. */
async function warmed(
  contender: Contender,
  task: Task,
  counter: DispatchCount,
  timed: (runner: Runner) => Promise<number>,
): Promise<Runner | null> {
  const work = await contender.prepare(task);
  if (!work) return null;
  const { name } = contender;
  checkOutput(task, await work.output());
  const { count } = await counter.of(() => work.time(1));
  const perRun = work.dispatches === undefined ? count : null;
  if (perRun === 0) throw new Error("started no dispatch");
  const seconds = await timed({ name, work, perRun, repeats: 1 });
  const repeats = Math.max(1, Math.min(mostRepeats, Math.round(roundSeconds / seconds)));
  return { name, work, perRun, repeats };
}
