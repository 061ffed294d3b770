import { concat, type Device, type F32, full, ops as kernels, LetheError, type Ops, type Tensor } from "@lethe/tensor";
import { Tape } from "../tape.ts";
import type { AdamW } from "./adamw.ts";
import { NonFiniteError, nonFiniteParameters } from "./non-finite.ts";
import type { Schedule } from "./schedule.ts";

/** A part of a step that fits the device at once. */
export interface MicroBatch {
  /** Names it in errors. */
  readonly name: string;
  /**
   * The scalar to be minimised, computed with `tape.ops`; blocks may go through `tape.checkpoint`. Runs in a scope of its own: tensors
   * made in it, the batch among them, need no release.
   */
  readonly loss: (tape: Tape) => F32;
}

export interface TrainOptions {
  readonly optimiser: AdamW;
  readonly schedule: Schedule;
  /** For each step the micro-batches whose losses are averaged. */
  readonly steps: AsyncIterable<readonly MicroBatch[]> | Iterable<readonly MicroBatch[]>;
  /** Default: the kernels. */
  readonly ops?: Ops;
  /** Steps that may be recorded before the first of them has been read back. Default: 4. */
  readonly ahead?: number;
}

export interface StepRecord {
  /** The optimiser's count, from 1. */
  readonly step: number;
  /** Mean over the step's micro-batches, before its update. */
  readonly loss: number;
  /** Global norm of the gradient, before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** A step that is recorded and not yet read back. */
interface Flight {
  readonly step: number;
  readonly batches: readonly string[];
  readonly learningRate: number;
  /** The losses of the micro-batches, then the gradient norm. */
  readonly values: Promise<Float32Array>;
  /** Names of the parameters, and the sum of squares of each one's gradient. */
  readonly parameters: readonly string[];
  readonly squares: F32;
}

/**
 * Trains, a step at a time, and yields a record of each. Records come `ahead` steps late, so that the queue never waits for the
 * host; when the last has come, all is done. Ask for the next record to go on; leave the loop to stop. Called again with the same
 * optimiser, it continues.
 * @throws {NonFiniteError} when a loss or a gradient norm is not finite, naming step, batch and parameters.
 */
export async function* train(device: Device, options: TrainOptions): AsyncGenerator<StepRecord, void, void> {
  const { optimiser, ahead = 4 } = options;
  using tape = new Tape(options.ops ?? kernels);
  tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
  const flights: Flight[] = [];
  try {
    for await (const microBatches of options.steps) {
      flights.push(takeOff(device, tape, optimiser, microBatches, options.schedule(optimiser.steps)));
      if (flights.length > ahead) yield await land(flights);
    }
    while (flights.length > 0) yield await land(flights);
  } finally {
    await Promise.allSettled(flights.map(({ values }) => values));
    for (const { squares } of flights) squares.dispose();
  }
}

/** Records one step and starts to read its figures. */
function takeOff(
  device: Device,
  tape: Tape,
  optimiser: AdamW,
  microBatches: readonly MicroBatch[],
  learningRate: number,
): Flight {
  if (microBatches.length === 0) throw new LetheError(`step ${optimiser.steps + 1} has no micro-batch`);
  using _ = device.scope(`step ${optimiser.steps + 1}`);
  const share = full(device, [], 1 / microBatches.length);
  const gradients = new Map<Tensor, F32>();
  const losses = microBatches.map(({ name, loss: lossOf }) => {
    const loss = device.scoped("forward", () => lossOf(tape));
    if (loss.size !== 1) throw new LetheError(`${name}: its loss has shape [${loss.shape}]; expected a scalar`);
    tape.backward(loss, { seed: share.reshape(loss.shape), into: gradients });
    return loss.reshape([1]) as F32;
  });
  const { norm, names, squares } = optimiser.update(gradients, learningRate);
  const figures = [...losses, norm.reshape([1])].reduce((all, figure) => concat(all, figure, { axis: 0 }));
  const values = figures.read() as Promise<Float32Array>;
  // Whoever waits for the step hears of a failure; until then it must not end the process as one that nobody waits for.
  values.catch(() => {});
  return {
    step: optimiser.steps,
    batches: microBatches.map(({ name }) => name),
    learningRate,
    values,
    parameters: names,
    squares: squares.retain(),
  };
}

/** Waits for the oldest step's figures. */
async function land(flights: Flight[]): Promise<StepRecord> {
  const { step, batches, learningRate, values, parameters, squares } = flights[0]!;
  const figures = [...(await values)];
  const gradientNorm = figures.pop()!;
  const loss = figures.reduce((sum, value) => sum + value, 0) / figures.length;
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
    const guilty = batches.filter((_, i) => !Number.isFinite(figures[i]));
    throw new NonFiniteError({
      step,
      batches: guilty.length > 0 ? guilty : batches,
      parameters: await nonFiniteParameters(parameters, squares),
      loss,
      gradientNorm,
    });
  }
  flights.shift();
  squares.dispose();
  return { step, loss, gradientNorm, learningRate };
}
