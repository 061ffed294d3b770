import type { Decoder } from "@lethe/decoder";
import type { FloatDType, MemoryNeed, Weight } from "@lethe/tensor";
import type { QuestionBatch, RecordedRun, Setting, SweptWindows } from "@lethe/unlearn";
import { ExperimentError } from "../../errors.ts";

/** Where the vanilla model is while another one is trained and measured. */
export const VANILLA_PLACES = ["device", "streamed"] as const;
export type VanillaPlace = (typeof VANILLA_PLACES)[number];

/** What of a vanilla model's run is wanted. */
export interface WantedRun {
  readonly settings: readonly Setting[];
  /** What is swept with them. Default: every layer. */
  readonly windows?: SweptWindows | undefined;
  readonly signal: AbortSignal;
}

/**
 * The frozen vanilla model of a cell, wherever its weights are. What it gives does not depend on where, to the bit. A new place is a file in
 * this folder and a name above.
 */
export interface Vanilla extends Pick<Decoder, "device" | "config" | "text" | "stopTokens" | "label"> {
  /** The model, where it is on the device as a whole. */
  readonly model: Decoder | undefined;
  /** A model of its shapes, dtypes and tokenizer, to plan with: itself, or a sketch of it where it is not on the device. */
  readonly sizes: Decoder;
  /** The shape of each weight by Hugging Face's name, in the order of the file. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  /** One weight in its dtype on disk. The caller disposes of it. */
  weight(name: string, watch: { readonly signal?: AbortSignal | undefined }): Promise<Weight>;
  /** The model's run on questions, as `runVanilla` records it. The caller disposes of it. */
  record(questions: QuestionBatch, wanted: WantedRun): Promise<RecordedRun>;
  /** What recording a run needs on the device beside the activations, and beside the model where that is there. */
  recordingMemory(wanted: Pick<WantedRun, "settings" | "windows">): MemoryNeed[];
  /** Gives work the model as a whole, in its dtypes on disk, while it goes on. */
  whole<T>(work: (model: Decoder) => Promise<T>): Promise<T>;
  /**
   * A copy, which can be changed. The caller disposes of it.
   * @param dtypeOf gives the dtype of the copy's weight of a name
   */
  copy(dtypeOf: (name: string) => FloatDType): Promise<Decoder>;
  /** Gives a copy the vanilla weights again. */
  giveWeights(copy: Decoder, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The error of what runs the vanilla model again and again, where that is streamed. @param work "--study depth" */
export function needsDevice(work: string): ExperimentError {
  return new ExperimentError(
    `${work} runs the vanilla model again and again, so its weights must stay on the device: leave out --vanilla streamed, or ${work}.`,
  );
}

/**
 * The model on the device, for who runs it again and again.
 * @param work what does so, for the error
 * @throws ExperimentError where it is streamed
 */
export function wholeOf({ model }: Pick<Vanilla, "model">, work: string): Decoder {
  if (model) return model;
  throw needsDevice(work);
}
