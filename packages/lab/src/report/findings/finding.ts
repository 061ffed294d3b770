/** What the numbers say about a claim, by the criterion that stands beside it. */
export type Verdict = "holds" | "does not hold" | "cannot be said";

/** A number of the report. */
export interface Estimate {
  readonly value: number;
  /** From where to where 95% of its bootstrap draws lie. Absent where nothing can be drawn anew. */
  readonly interval?: readonly [low: number, high: number];
}

/** The same number of a model that was damaged or taught otherwise, beside the unlearned one's. */
export interface ControlComparison {
  /** The kind of the control's subject, such as "noise". */
  readonly control: string;
  readonly number: Estimate;
  /** The unlearned model's number less the control's, on the concepts that have both. Both are drawn together. */
  readonly excess: Estimate;
  /**
   * Whether the unlearned model's number speaks more for the claim than the control's does: the whole interval of the excess lies on that
   * side of 0. Undefined where there is no interval.
   */
  readonly exceeded?: boolean;
}

/** What this experiment says about one claim of the paper, for one vanilla model. */
export interface Finding {
  /** Names the claim in files: "restoration.W_V". Findings of different models or methods have it in common. */
  readonly id: string;
  /** The claim in a sentence, without a full stop. */
  readonly claim: string;
  /** Where it is made: "Section 3, Figure 1". */
  readonly source: string;
  /** The vanilla model's name. */
  readonly model: string;
  /** Titles of the methods over which the number is a mean. */
  readonly methods: readonly string[];
  /** Whether these are all methods of the report: such findings come first. */
  readonly overall: boolean;
  /** Over what the number is a mean, and what was drawn anew for its interval. */
  readonly over: string;
  /** What the number is: "highest KRS of W_V at any layer". */
  readonly measure: string;
  /** Absent where nothing can be said. */
  readonly here?: Estimate;
  /** Further numbers in words, such as where the peak lies. */
  readonly also?: string;
  /** The paper's number, with the model's name where it has two: "below 0.001 at every layer". */
  readonly paper: string;
  /** When the claim holds, in a sentence without a full stop. */
  readonly criterion: string;
  readonly verdict: Verdict;
  /** Why it cannot be said, in a sentence without a full stop. */
  readonly reason?: string;
  readonly controls: readonly ControlComparison[];
}
