import type { KernelWork } from "../profile/kernel-costs.ts";
import type { DryRun, Stage } from "./dry-run.ts";

/** How fast a device is. */
export interface Rates {
  /** Floating-point operations of a matrix product a second. */
  readonly flops: number;
  /** Bytes a second that it reads and writes. */
  readonly bandwidth: number;
}

/** How often a job does what was counted once. */
export interface Repeats {
  /** Epochs of the training, as the share of all texts that it goes through: 2.5 where it ends in the third. */
  readonly epochs: number;
  /** How often the trained model answers. */
  readonly answered: number;
  /** Tokens of an answer. */
  readonly answerTokens: number;
}

/**
 * Seconds of a job, by a roofline (Williams et al. 2009): each kernel takes as long as its operations or its bytes do, whichever takes longer,
 * counted kernel by kernel. What limits a real run beside them, such as short batches on a large card, is not in it: it is the least that the
 * rates allow.
 */
export function secondsOf({ work }: DryRun, rates: Rates, { epochs, answered, answerTokens }: Repeats): number {
  const once = (stage: Stage) =>
    work.reduce((sum, each) => (each.stage === stage ? sum + each.count * secondsOfRun(each, rates) : sum), 0);
  const answers = once("prompts") + (answerTokens - 1) * once("column");
  const epoch = once("epoch");
  const training = once("first epoch") + (epochs - 1) * epoch;
  return once("copying") + (1 + answered) * answers + training + once("restoring");
}

function secondsOfRun({ flops, bytes }: KernelWork, rates: Rates): number {
  return Math.max(flops / rates.flops, bytes / rates.bandwidth);
}
