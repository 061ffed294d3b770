import type { ReportCell } from "../panels.ts";

/** The number of a claim, on one draw. */
export interface Judged {
  readonly value: number;
  /** Whether the criterion is met. */
  readonly holds: boolean;
  /** Further numbers in words. */
  readonly also?: string;
}

/** How a claim is measured on the cells of one vanilla model. */
export interface Measurement<C extends ReportCell> {
  /** How many questions each cell has numbers of. Absent where the cells' numbers are not by question. */
  readonly questions?: number;
  /**
   * The numbers of one concept, as means over its cells: methods and seeds.
   * @param drawn positions of the questions to be used, some of them more than once. Default: every question once
   */
  numbers(cells: readonly C[], drawn?: readonly number[]): readonly number[];
  /**
   * Judges by the criterion.
   * @param numbers means over concepts of what `numbers` gave
   * @returns a sentence where nothing can be said
   */
  judge(numbers: readonly number[]): Judged | string;
}

/**
 * A claim of the paper and the criterion by which it holds. `findingsOf` applies it to each vanilla model, for all methods together and for
 * each of them, with bootstrap intervals, and beside each control.
 */
export interface Claim<C extends ReportCell> {
  /** Names it in files: "restoration.W_V". */
  readonly id: string;
  /** In a sentence, without a full stop. */
  readonly claim: string;
  /** Where it is made: "Section 3, Figure 1". */
  readonly source: string;
  /** What the number is: "highest KRS of W_V at any layer". */
  readonly measure: string;
  /** The paper's number. */
  readonly paper: string;
  /** When the claim holds, in a sentence without a full stop. */
  readonly criterion: string;
  /** Whether a higher or a lower number than the control's speaks more for the claim. */
  readonly beyond: "higher" | "lower";
  /**
   * How it is measured on these cells: of one vanilla model, those of a control among them.
   * @returns a sentence without a full stop that says why nothing can be said of them
   */
  on(cells: readonly C[]): Measurement<C> | string;
}
