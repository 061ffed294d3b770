import type { CellRunner } from "../../cells/run-cells.ts";
import { StageTimes } from "../../cells/stage-times.ts";
import type { DispatchLog } from "../../profile/kernel-costs.ts";
import { byKernel, profileLines, type Totals, totalsOf } from "../../profile/totals.ts";

/** Said before a run that is profiled. */
export const PROFILE_NOTE =
  "The profile slows the run down a little, and after its last cell each kernel is timed by itself.";

/** Some thousand kernels and sizes are timed, so each gets a moment. Of so few rounds the fastest is the least disturbed. */
const CARE = { seconds: 0.003, mostRounds: 3 };
const fastest = (rounds: readonly number[]) => Math.min(...rounds);
/** The sizes of a kernel that are listed. */
const SIZES = 3;

/** Counts what the device does in each stage of a run, and then times it. */
export class RunProfile {
  readonly #log: DispatchLog;
  readonly #times = new StageTimes();

  constructor(runner: CellRunner) {
    this.#log = runner.watchWork();
    this.enter("starting");
  }

  /** The work that follows belongs to this stage. */
  enter(stage: string): void {
    this.#log.stage = stage;
    this.#times.enter(stage);
  }

  /** Ends the count and times each kernel. @returns what is kept as JSON, and a table to be printed */
  async finish(): Promise<{ readonly profile: object; readonly lines: readonly string[] }> {
    const { seconds, stages } = this.#times.stop();
    const costs = await this.#log.costs(CARE, fastest);
    const found = Object.entries(stages).map(([stage, seconds]) => {
      const own = costs.filter((cost) => cost.stage === stage);
      return { stage, seconds, totals: totalsOf(own), kernels: byKernel(own) };
    });
    const whole = { stage: "all", seconds, totals: totalsOf(costs) };
    const profile = {
      note:
        "seconds: what the clock says, the host's share included; kernelSeconds: each different dispatch timed by itself after the run, " +
        "the fastest of three rounds, times how often it came",
      all: figures(whole),
      stages: found.map((stage) => ({ ...figures(stage), kernels: stage.kernels.map(kernelFigures) })),
    };
    return { profile, lines: [...tableOf([...found, whole]), "", ...profileLines(costs, seconds)] };
  }
}

interface Stage {
  readonly stage: string;
  readonly seconds: number;
  readonly totals: Totals;
}

function figures({ stage, seconds, totals }: Stage) {
  const { matmulSeconds, matmulGflops, dispatches } = totals;
  const matmul = { share: rounded(matmulSeconds / totals.seconds || 0), gflops: matmulGflops && rounded(matmulGflops) };
  return { stage, seconds, kernelSeconds: rounded(totals.seconds), dispatches, matmul };
}

function kernelFigures({ kernel, seconds, dispatches, matmulGflops, costs }: ReturnType<typeof byKernel>[number]) {
  const sizes = costs.slice(0, SIZES).map(({ size, count, seconds }) => {
    return { size, count, microseconds: rounded(1e6 * seconds) };
  });
  return {
    kernel,
    seconds: rounded(seconds),
    dispatches,
    ...(matmulGflops && { gflops: rounded(matmulGflops) }),
    sizes,
  };
}

/** To three digits, or to whole numbers. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function tableOf(stages: readonly Stage[]): string[] {
  const width = Math.max(...stages.map(({ stage }) => stage.length));
  const line = (...[first, ...rest]: readonly string[]) =>
    [first!.padEnd(width), ...rest.map((cell) => cell.padStart(11))].join(" ");
  const rows = stages.map(({ stage, seconds, totals }) => {
    const { dispatches, matmulSeconds, matmulGflops } = totals;
    const share = dispatches > 0 ? `${((100 * matmulSeconds) / totals.seconds).toFixed(0)} %` : "";
    const own = [`${seconds.toFixed(1)} s`, `${totals.seconds.toFixed(1)} s`, `${dispatches}`];
    return line(stage, ...own, share, matmulGflops?.toFixed(1) ?? "");
  });
  return [line("stage", "time", "in kernels", "dispatches", "in matmul", "GFLOP/s"), ...rows];
}
