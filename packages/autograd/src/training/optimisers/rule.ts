import type { Device, F32, Shape, Tensor } from "@lethe/tensor";
import type { Signature } from "@lethe/tensor/checked";
import type { Trainable } from "../parameter.ts";
import type { WeightsName } from "../weights/list.ts";
import type { Step } from "../weights/weights.ts";

/** Settings that every optimiser has. */
export interface OptimiserSettings {
  /** Decoupled weight decay, in units of the learning rate. */
  readonly weightDecay: number;
  /** Parameters that decay. Default: {@link matrices}. */
  readonly decays?: (trainable: Trainable) => boolean;
  /** Gradients are scaled down to this global norm when they exceed it. Default: no clipping. */
  readonly clipNorm?: number;
  /** How the trained weights are kept. Default: `f32`. */
  readonly weights?: WeightsName;
  /** Decides how `bf16-stochastic` rounds. Default: 0. */
  readonly seed?: number;
}

/** Weight decay for matrices and not for norms, as in the Hugging Face Trainer. */
export const matrices = ({ parameter }: Pick<Trainable, "parameter">): boolean => parameter.shape.length > 1;

/** A tensor that an optimiser keeps of a parameter. It starts as zeros. */
export interface Slot {
  /** The end of its name, such as `exp_avg`: that of the weight `NAME` is `NAME.exp_avg`. */
  readonly name: string;
  /** What plans of memory call it. */
  readonly part: string;
  readonly dtype: "f32" | "u32";
  /** Its shape for a parameter of a shape; null where such a parameter has none. */
  of(shape: Shape): Shape | null;
}

/** What one update goes through: a parameter, or several that lie one after another, as one row. */
export interface Run {
  readonly shape: Shape;
  /** Of all elements of the run, in their order. */
  readonly gradient: F32;
  /** The tensors of the slots that there are, by the slots' names. */
  readonly state: Readonly<Record<string, Tensor>>;
  readonly weightDecay: number;
  /** Only this column of the matrix is trained. */
  readonly column?: { readonly index: number; readonly width: number };
}

/** When an update is made, and how far it goes. */
export interface Moment {
  /** Counted from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** A scalar on the device, by which gradients are multiplied. */
  readonly gradientScale?: F32;
}

/** An algorithm of optimisation: what state it keeps of a parameter, and how it updates values. Whoever keeps the weights gives it the values. */
export interface OptimiserRule<S extends OptimiserSettings = OptimiserSettings> {
  /** For recipes and command lines: `adamw-8bit`. */
  readonly name: string;
  /** For messages. */
  readonly label: string;
  /** What it keeps, with its bytes a parameter, for help. */
  readonly description: string;
  /** Kinds of the settings that it has beside those of every optimiser. */
  readonly settings: Signature;
  readonly slots: readonly Slot[];
  /** Whether every element is updated by itself, so that parameters that lie one after another can be updated as one row. */
  readonly elementwise: boolean;
  /** Whether it can train one column of a matrix. */
  readonly columns: boolean;
  /** Of values that are updated in parts, each begins at a multiple of so many elements. */
  grain(shape: Shape, column?: number): number;
  /** Bytes that an update of a parameter takes for a while. Default: 0. */
  scratch?(device: Device, shape: Shape): number;
  /** Begins the update of a run. The result is called for all of its elements, in parts from the first to the last. */
  begin(run: Run, settings: S, moment: Moment): Step;
}
