/** A question, the answer that was expected and the one that was given. */
export interface JudgedAnswer {
  readonly question: string;
  readonly expected: string;
  readonly answer: string;
}

/** Says how right an answer is. A new judge is a file in this folder and an entry in `list.ts`; a function of one's own is a judge too. */
export interface Judge {
  /** For command lines and files. */
  readonly name: string;
  /** What it compares, in a few words. */
  readonly description: string;
  /** From this score an answer counts as right, unless the caller names another. */
  readonly threshold: number;
  /** From 0, wrong, to 1, right. */
  score(judged: JudgedAnswer): number;
}
