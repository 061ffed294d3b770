import type { Device, F32, FloatDType, Shape, Weight } from "@lethe/tensor";
import type { Trainable } from "../parameter.ts";

/**
 * Updates f32 values of a run in place.
 * @param values elements of the run, in one row
 * @param start the first of them
 */
export type Step = (values: F32, start: number) => void;

/** A trained parameter with its f32 copy, where one is kept. */
export interface Held {
  readonly trainable: Trainable;
  readonly copy: F32 | undefined;
}

/** A stream of random numbers: a whole number of at least 0, and a count. */
export interface Stream {
  readonly seed: number;
  readonly step: number;
}

/** What an update in parts must know beside the step: the stream is the optimiser's own, its count from 1. */
export interface Cutting extends Stream {
  /** A part begins at a multiple of so many elements. */
  readonly grain: number;
}

/** A way of keeping trained weights: in which dtype forward and backward read them, and where a step finds their f32 values. */
export interface Weights {
  /** For recipes and command lines. */
  readonly name: string;
  /** What it is, with its bytes a parameter, for help. */
  readonly description: string;
  /** Of the weights on the device. */
  readonly dtype: Extract<FloatDType, "f32" | "bf16">;
  /** The f32 copies, where there are any: that of the weight `NAME` is called `NAME.` and this name. Plans of memory call them `part`. */
  readonly copy?: { readonly name: string; readonly part: string };
  /** f32 copies that are kept of parameters, in their order, with labels for names; empty where there are none. They belong to no scope. */
  copies(trainables: readonly Trainable[]): readonly F32[];
  /** Bytes of the scratch that an update of a parameter takes. */
  scratch(device: Device, shape: Shape, grain: number): number;
  /** Whether the f32 values of one parameter end where those of the next begin, so that one step goes through both. */
  follows(one: Held, next: Held): boolean;
  /**
   * Rounds values into a weight as an update does.
   * @param stream where the rounding is random: the same stream gives the same bits
   */
  write(weight: Weight, values: F32, stream: Stream): void;
  /** Gives a step all values of parameters that follow one another, and keeps what it makes of them. */
  update(run: readonly Held[], step: Step, cutting: Cutting): void;
}
