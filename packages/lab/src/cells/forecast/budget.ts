import { z } from "zod";
import { ExperimentError } from "../../errors.ts";
import type { Study } from "../../studies/study.ts";
import { forecastOf, type Rates, type Work } from "./forecast.ts";
import { withQuestions } from "./work.ts";

const count = z.int().min(1);

/** The numbers of a cell that a budget decides. */
export const choiceSchema = z.strictObject({
  epochs: count,
  stepsPerEpoch: count,
  targetQuestions: count,
  unrelatedQuestions: count,
  /** The options of every study, by name. */
  studies: z.record(z.string(), z.unknown()),
});
export type Choice = z.infer<typeof choiceSchema>;

/** What a budget leaves at least: enough steps to unlearn, enough questions for a mean. */
const LEAST = { steps: 10, epochs: 2, target: 5, unrelated: 10 };

/** What a budget needs to know of a cell. */
export interface Measured {
  readonly rates: Rates;
  readonly work: Work;
  readonly studies: readonly Study[];
}

/**
 * Chooses the largest numbers, up to the given ones, with which a cell fits a budget. What costs least of the result is taken away
 * first: measurements between the first epoch and the last (the steps stay, in longer epochs), then unrelated questions, then what a study can
 * spare, then target questions, and steps last.
 * @throws ExperimentError when even the least numbers do not fit
 */
export function chooseWithin(seconds: number, measured: Measured, full: Choice): Choice {
  const steps = full.epochs * full.stepsPerEpoch;
  const fits = (choice: Choice) => secondsOf(measured, choice) <= seconds;
  const reductions: readonly ((choice: Choice) => Choice | null)[] = [
    ({ epochs, ...rest }) =>
      epochs > LEAST.epochs ? { ...rest, epochs: epochs - 1, stepsPerEpoch: Math.floor(steps / (epochs - 1)) } : null,
    (choice) => less(choice, "unrelatedQuestions", LEAST.unrelated),
    ...measured.studies.map(({ name, cost }) => (choice: Choice) => {
      const shorter = name in choice.studies ? cost?.shorter(choice.studies[name], measured.work.size) : null;
      return shorter ? { ...choice, studies: { ...choice.studies, [name]: shorter } } : null;
    }),
    (choice) => less(choice, "targetQuestions", LEAST.target),
    (choice) => less(choice, "stepsPerEpoch", Math.ceil(LEAST.steps / choice.epochs)),
  ];
  let choice = full;
  for (const reduce of reductions) {
    for (let smaller = reduce(choice); !fits(choice) && smaller; smaller = reduce(choice)) choice = smaller;
  }
  if (fits(choice)) return choice;
  const least = Math.ceil(secondsOf(measured, choice) / 60);
  throw new ExperimentError(
    `A cell of this model takes at least ${least} minutes here. Give --budget ${least}m or more.`,
  );
}

/** The forecast for a cell with other numbers. */
export function secondsOf({ rates, work, studies }: Measured, choice: Choice): number {
  const { targetQuestions, unrelatedQuestions, epochs, stepsPerEpoch } = choice;
  const changed = { epochs, steps: epochs * stepsPerEpoch, studies: choice.studies };
  const asked = withQuestions(work, targetQuestions, unrelatedQuestions);
  return forecastOf(rates, { ...asked, ...changed }, studies).seconds;
}

function less(choice: Choice, field: "unrelatedQuestions" | "targetQuestions" | "stepsPerEpoch", least: number) {
  return choice[field] > least ? { ...choice, [field]: choice[field] - 1 } : null;
}

/** Reads a time such as “90s”, “30m” or “1h30m”, in seconds; undefined where it is none. */
export function parseTime(text: string): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const [hours = 0, minutes = 0, seconds = 0] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  return 3600 * hours + 60 * minutes + seconds || undefined;
}
