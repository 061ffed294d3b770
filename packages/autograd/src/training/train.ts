import { Device, type F32, ops as kernels, LetheError, type Ops, type Tensor } from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checked,
  checkerOf,
  instanceOf,
  iterable,
  listOf,
  optional,
  options,
  text,
} from "@lethe/tensor/checked";
import { Tape } from "../tape.ts";
import { AdamW, type GradientNorm } from "./adamw.ts";
import { NonFiniteError, nonFiniteParameters } from "./non-finite.ts";
import type { Schedule } from "./schedule.ts";

/** A part of a step that fits the device at once. */
export interface MicroBatch {
  /** Names it in errors. */
  readonly name: string;
  /**
   * The scalar to be minimised, computed with `tape.ops`; blocks may go through `tape.checkpoint`. It runs in a scope of its own: the
   * tensors that it makes, the batch among them, need no release.
   */
  readonly loss: (tape: Tape) => F32;
}

export interface TrainOptions {
  readonly optimiser: AdamW;
  readonly schedule: Schedule;
  /** For each step the micro-batches whose losses are averaged. */
  readonly steps: AsyncIterable<readonly MicroBatch[]> | Iterable<readonly MicroBatch[]>;
  /** Computes forward and backward. Default: the kernels. */
  readonly ops?: Ops;
  /** Steps that may be recorded before the first of them has been read back. Default: 4. */
  readonly ahead?: number;
  /** Stops the training before its next step. */
  readonly signal?: AbortSignal | undefined;
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
interface PendingStep {
  readonly step: number;
  readonly batches: readonly string[];
  readonly learningRate: number;
  /** The losses of the micro-batches, then the gradient norm. */
  readonly values: Promise<Float32Array>;
  readonly parameters: GradientNorm["names"];
  /** Sum of squares of each parameter's gradient. Read only where a step was not finite. */
  readonly squares: F32;
}

/**
 * Trains, a step at a time, and yields a record of each. Records come `ahead` steps late, so that the queue never waits for the
 * host; after the last record all work is done. Ask for the next record to go on; leave the loop to stop. Called again with the same
 * optimiser, it continues. However it ends, only the parameters and the optimiser keep memory.
 * @throws {NonFiniteError} when a loss or a gradient norm is not finite, naming step, batch and parameters
 * @throws the signal's reason, once it is aborted
 * @function
 */
export const train = checked(
  "train",
  {
    device: instanceOf(Device),
    options: options({
      optimiser: instanceOf(AdamW),
      schedule: callable,
      steps: iterable,
      ops: optional(anyObject),
      ahead: optional(atLeast(0)),
      signal: optional(instanceOf(AbortSignal)),
    }),
  },
  async function* (
    device: Device,
    { optimiser, schedule, steps, ops = kernels, ahead = 4, signal }: TrainOptions,
  ): AsyncGenerator<StepRecord, void, void> {
    using tape = new Tape(ops);
    tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
    const pending: PendingStep[] = [];
    try {
      for await (const microBatches of steps) {
        signal?.throwIfAborted();
        const learningRate = schedule(optimiser.steps);
        pending.push(recordStep({ device, ops, tape, optimiser }, microBatches, learningRate));
        if (pending.length > ahead) yield await readOldest(pending);
      }
      while (pending.length > 0) {
        signal?.throwIfAborted();
        yield await readOldest(pending);
      }
    } finally {
      await Promise.allSettled(pending.map(({ values }) => values));
      for (const { squares } of pending) squares.dispose();
    }
  },
);

const checkStep = checkerOf("train", { step: listOf(options({ name: text, loss: callable })) });

/** Records one step and starts to read its figures. */
function recordStep(
  { device, ops, tape, optimiser }: { device: Device; ops: Ops; tape: Tape; optimiser: AdamW },
  microBatches: readonly MicroBatch[],
  learningRate: number,
): PendingStep {
  checkStep([microBatches]);
  if (microBatches.length === 0) throw new LetheError(`step ${optimiser.steps + 1} has no micro-batch`);
  using _ = device.scope(`step ${optimiser.steps + 1}`);
  const share = device.tensor([1 / microBatches.length], [], "f32", "share of a micro-batch");
  const gradients = new Map<Tensor, F32>();
  const losses = microBatches.map(({ name, loss: lossOf }) => {
    const loss = device.scoped("forward", () => lossOf(tape));
    if (loss.size !== 1) throw new LetheError(`${name}: its loss has shape [${loss.shape}]; expected a scalar`);
    tape.backward(loss, { seed: share.reshape(loss.shape), into: gradients });
    return loss.reshape([1]) as F32;
  });
  const norm = optimiser.gradientNorm(gradients);
  optimiser.update(gradients, learningRate, norm);
  const figures = [...losses, norm.norm.reshape([1])].reduce((all, figure) => ops.concat(all, figure, { axis: 0 }));
  const values = figures.read() as Promise<Float32Array>;
  // readOldest hands a failure on. Until it waits, the failure must not end the process as one that nobody handles.
  values.catch(() => {});
  return {
    step: optimiser.steps,
    batches: microBatches.map(({ name }) => name),
    learningRate,
    values,
    parameters: norm.names,
    squares: norm.squares.retain(),
  };
}

/** Waits for the oldest step's figures. */
async function readOldest(pending: PendingStep[]): Promise<StepRecord> {
  const { step, batches, learningRate, values, parameters, squares } = pending[0]!;
  const figures = [...(await values)];
  const gradientNorm = figures.pop()!;
  const loss = figures.reduce((sum, value) => sum + value, 0) / figures.length;
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
    const broken = batches.filter((_, i) => !Number.isFinite(figures[i]));
    throw new NonFiniteError({
      step,
      batches: broken.length > 0 ? broken : batches,
      parameters: await nonFiniteParameters(parameters, squares),
      loss,
      gradientNorm,
    });
  }
  pending.shift();
  squares.dispose();
  return { step, loss, gradientNorm, learningRate };
}
