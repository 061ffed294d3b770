/** An answer as it is shown while a cell runs. */
export interface LiveAnswer {
  readonly question: string;
  readonly text: string;
}

interface LiveAnswers {
  readonly target: readonly LiveAnswer[];
  readonly unrelated: readonly LiveAnswer[];
}

/** What is known of a running cell at the moment: plain data, for who draws it while it grows. */
export type Live =
  /** The vanilla model's answers that are compared. */
  | { readonly kind: "vanilla"; readonly answers: LiveAnswers }
  /** An optimiser step, from 1. */
  | { readonly kind: "step"; readonly step: number; readonly of: number; readonly loss: number }
  /** The answers after an epoch, from 1, and their mean BLEU against the vanilla model's. */
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly of: number;
      readonly answers: LiveAnswers;
      readonly bleu: { readonly target: number; readonly unrelated: number };
    }
  /** What a study has measured so far; what it is, the study says. */
  | { readonly kind: "study"; readonly study: string; readonly part: unknown };
