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
  unlessAborted,
} from "@lethe/tensor/checked";
import { Tape } from "../tape.ts";
import { NonFiniteError, nonFiniteParameters } from "./non-finite.ts";
import { type GradientNorm, Optimiser } from "./optimiser.ts";
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
  readonly optimiser: Optimiser;
  readonly schedule: Schedule;
  /** For each step the micro-batches whose losses are averaged. */
  readonly steps: AsyncIterable<readonly MicroBatch[]> | Iterable<readonly MicroBatch[]>;
  /** Computes forward and backward. Default: the kernels. */
  readonly ops?: Ops;
  /** Steps that may be recorded before the first of them has been read back. Default: 4. */
  readonly ahead?: number;
  /** Stops the training after the micro-batch that is being recorded, without waiting for the device. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each micro-batch, when little enough of the recorded work is unfinished; see `Device.ready`. */
  readonly onMicroBatch?: ((progress: MicroBatchProgress) => void) | undefined;
}

/** How far a step is. */
export interface MicroBatchProgress {
  /** The optimiser's count, from 1. */
  readonly step: number;
  /** Micro-batches of the step that are done, but for about a second of work. */
  readonly done: number;
  /** Micro-batches of the step. */
  readonly of: number;
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
 * optimiser, it continues. However it ends, only the parameters and the optimiser keep memory. After each micro-batch it waits until the
 * device has little left to do, so a long step takes no more memory than a short one; no scope is held meanwhile.
 * @throws {NonFiniteError} when a loss or a gradient norm is not finite, naming step, batch and parameters
 * @throws the signal's reason, once it is aborted
 * @function
 */
export const train = checked(
  "train",
  {
    device: instanceOf(Device),
    options: options({
      optimiser: instanceOf(Optimiser),
      schedule: callable,
      steps: iterable,
      ops: optional(anyObject),
      ahead: optional(atLeast(0)),
      signal: optional(instanceOf(AbortSignal)),
      onMicroBatch: optional(callable),
    }),
  },
  async function* (
    device: Device,
    { optimiser, schedule, steps, ops = kernels, ahead = 4, signal, onMicroBatch }: TrainOptions,
  ): AsyncGenerator<StepRecord, void, void> {
    using tape = new Tape(ops);
    tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
    const pending: PendingStep[] = [];
    try {
      for await (const microBatches of steps) {
        signal?.throwIfAborted();
        const learningRate = schedule(optimiser.steps);
        const means = { device, tape, optimiser, signal, onMicroBatch };
        pending.push(await recordStep(means, microBatches, learningRate));
        if (pending.length > ahead) yield await readOldest(pending, signal);
      }
      while (pending.length > 0) yield await readOldest(pending, signal);
    } finally {
      if (!signal?.aborted) await Promise.allSettled(pending.map(({ values }) => values));
      for (const { squares } of pending) squares.dispose();
    }
  },
);

const checkStep = checkerOf("train", { step: listOf(options({ name: text, loss: callable })) });

interface Means extends Pick<TrainOptions, "optimiser" | "signal" | "onMicroBatch"> {
  readonly device: Device;
  readonly tape: Tape;
}

/** Records one step, a micro-batch at a time, and starts to read its figures. */
async function recordStep(
  { device, tape, optimiser, signal, onMicroBatch }: Means,
  microBatches: readonly MicroBatch[],
  learningRate: number,
): Promise<PendingStep> {
  checkStep([microBatches]);
  const step = optimiser.steps + 1;
  const of = microBatches.length;
  if (of === 0) throw new LetheError(`step ${step} has no micro-batch`);
  const gradients = new Map<Tensor, F32>();
  let places: ReadonlyMap<Tensor, F32> = new Map();
  const losses: F32[] = [];
  try {
    for (const [index, microBatch] of microBatches.entries()) {
      // Not before the forward pass, which has memory of its own.
      const backward = (loss: F32, seed: F32) => {
        if (index === 0) places = optimiser.gradientPlaces();
        tape.backward(loss, { seed, into: gradients, places });
        // What the tape gives ends with the micro-batch.
        for (const parameter of gradients.keys()) gradients.set(parameter, places.get(parameter)!);
      };
      losses.push(recordMicroBatch({ device, tape }, microBatch, 1 / of, backward));
      await device.ready(signal);
      onMicroBatch?.({ step, done: index + 1, of });
    }
    using _ = device.scope(`update of step ${step}`);
    const norm = optimiser.gradientNorm(gradients);
    optimiser.update(gradients, learningRate, norm);
    const figures = device.empty([of + 1], "f32", "figures of a step");
    for (const [i, figure] of [...losses, norm.norm].entries()) device.copyBytes(figure, 0, figures, 4 * i, 4);
    const values = figures.read();
    const batches = microBatches.map(({ name }) => name);
    return { step, batches, learningRate, values, parameters: norm.names, squares: norm.squares.retain() };
  } finally {
    for (const tensor of [...places.values(), ...losses]) tensor.dispose();
  }
}

/**
 * Records forward and backward of one micro-batch, and gives its loss, which the caller disposes of.
 * @param share by which its gradients are multiplied
 * @param backward adds its gradients to those of the step
 */
function recordMicroBatch(
  { device, tape }: Pick<Means, "device" | "tape">,
  { name, loss: lossOf }: MicroBatch,
  share: number,
  backward: (loss: F32, seed: F32) => void,
): F32 {
  using _ = device.scope(name);
  const loss = device.scoped("forward", () => lossOf(tape));
  if (loss.size !== 1) throw new LetheError(`${name}: its loss has shape [${loss.shape}]; expected a scalar`);
  const seed = device.tensor([share], loss.shape, "f32", "share of a micro-batch");
  backward(loss, seed);
  return loss.retain();
}

/** Waits for the oldest step's figures, unless the signal is aborted. */
async function readOldest(pending: PendingStep[], signal: AbortSignal | undefined): Promise<StepRecord> {
  const { step, batches, learningRate, values, parameters, squares } = pending[0]!;
  const figures = [...(await unlessAborted(values, signal))];
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
