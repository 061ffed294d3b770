import type { RateEvidence, RateTry } from "./record.ts";

/** Rates that are tried where no grid is given: at most so many, each so many times the one before it. */
const TRIES = 5;
const STEP = Math.sqrt(10);

/** Which rates to try. */
export interface RateSearch {
  /** All of them are tried. */
  readonly grid?: readonly number[] | undefined;
  /**
   * Where no grid is given, the search begins here. It goes up until the target is reached, or, where the first rate reaches it, down
   * until it is not: a higher rate forgets more and breaks more.
   */
  readonly first: number;
  /** BLEU on the target questions to be reached, or less. */
  readonly targetBleu: number;
}

/** The most tries that a search makes. */
export function mostTries({ grid }: Pick<RateSearch, "grid">): number {
  return grid?.length ?? TRIES;
}

/**
 * Tries learning rates, and chooses one.
 * @param attempt trains with a rate, from the same start each time
 */
export async function findRate(
  search: RateSearch,
  attempt: (learningRate: number) => Promise<RateTry>,
): Promise<Pick<RateEvidence, "targetBleu" | "tries" | "chosen" | "reached">> {
  const { grid, first, targetBleu } = search;
  const tries: RateTry[] = [];
  if (grid) for (const rate of grid) tries.push(await attempt(rate));
  else {
    const enough = (each: RateTry) => "failed" in each || reaches(each, targetBleu);
    tries.push(await attempt(first));
    const down = enough(tries[0]!);
    while (tries.length < TRIES && enough(tries.at(-1)!) === down)
      tries.push(await attempt(rounded(first * (down ? 1 / STEP : STEP) ** tries.length)));
  }
  tries.sort((a, b) => a.learningRate - b.learningRate);
  return { targetBleu, tries, ...chooseTry(tries, targetBleu) };
}

/**
 * Chooses the try that reaches the target with the highest unrelated BLEU, the lower rate where two are equal. Where none reaches it, the
 * one that comes nearest.
 */
function chooseTry(tries: readonly RateTry[], targetBleu: number): Pick<RateEvidence, "chosen" | "reached"> {
  const whole = tries.filter((each): each is WholeTry => !("failed" in each));
  const reaching = whole.filter((each) => reaches(each, targetBleu));
  const [best] =
    reaching.length > 0
      ? reaching.toSorted((a, b) => bleuAtEnd(b).unrelated - bleuAtEnd(a).unrelated)
      : whole.toSorted((a, b) => bleuAtEnd(a).target - bleuAtEnd(b).target);
  // Where every training broke down, the lowest rate is the nearest to one that does not.
  return { chosen: (best ?? tries[0]!).learningRate, reached: reaching.length > 0 };
}

type WholeTry = Exclude<RateTry, { failed: string }>;

/** BLEU at the end of a try. */
export function bleuAtEnd({ bleu }: WholeTry): { readonly target: number; readonly unrelated: number } {
  return { target: bleu.target.at(-1)!, unrelated: bleu.unrelated.at(-1)! };
}

function reaches(each: RateTry, targetBleu: number): boolean {
  return !("failed" in each) && bleuAtEnd(each).target <= targetBleu;
}

/** Two digits are enough for a learning rate. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}
