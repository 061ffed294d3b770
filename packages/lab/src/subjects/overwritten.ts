import { type Random, randomOf, shuffled } from "@lethe/tensor";
import { forgetParagraphs, type Objective, recipeSchema, tokenNll, trainedPartForms } from "@lethe/unlearn";
import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import type { KnownAnswer, SubjectKind } from "./subject.ts";
import { isPart, trainedBy, trainedRecord, unlearnedConfig } from "./unlearned.ts";
import type { Vanilla } from "./vanilla/vanilla.ts";

const config = z.strictObject({
  kind: z.literal("overwritten"),
  training: recipeSchema,
  /** What is trained: a name of `trainedPart`. */
  train: z.string().refine(isPart, `expected ${trainedPartForms}`).default("all"),
});

/** NLL(y), by descent: what the texts say is learnt. */
const learning: Objective<"forget"> = { reads: ["forget"], loss: (ops, { forget }) => tokenNll(ops, forget) };

/** A copy of the vanilla model that was taught other answers to the target questions. */
export const overwritten: SubjectKind<z.infer<typeof config>, z.infer<typeof trainedRecord>> = {
  kind: "overwritten",
  unrehearsed: true,
  config,
  record: trainedRecord,
  control: {
    description:
      "a copy that is trained on the target questions with each other's answers, once for each concept, by the recipe of its first method",
    controls: (control, other) => control.seed === other.seed,
  },
  async choose(names, { controlled }) {
    if (names.length === 0) return [];
    const first = controlled.map((subject) => unlearnedConfig.safeParse(subject).data).find((subject) => subject);
    if (!first)
      throw new ExperimentError("--control overwritten has the training of an unlearned model: give a --method.");
    const { training, train } = first;
    return [{ config: { kind: "overwritten", training, train: isPart(train) ? train : "all" } }];
  },
  label: () => ({ name: "overwritten", title: "Taught swapped answers" }),
  make: trainedBy(async ({ config, sources, models: { vanilla }, known }) => {
    const { target } = await known();
    const texts = swappedTexts(target, vanilla, randomOf(config.seed, "swapped answers"));
    // As many texts as an unlearned model reads, so that an epoch has as many steps.
    const count = Math.max(texts.length, forgetParagraphs(sources.concept, config.seed).length);
    const forget = Array.from({ length: count }, (_, i) => texts[i % texts.length]!);
    const { training: recipe, train: trains } = config.subject;
    return { objective: learning, recipe, trains, forget, seed: config.seed };
  }),
};

/**
 * Questions in tokens, each with the vanilla model's answer to another one and the token that ends it. A question that no other answer is
 * left for, because too many are the same, is left out.
 * @throws ExperimentError when all answers are the same
 */
function swappedTexts(known: readonly KnownAnswer[], vanilla: Vanilla, random: Random): number[][] {
  const taken = swap(
    known.map(({ text }) => text),
    random,
  );
  const end = vanilla.stopTokens.slice(0, 1);
  const texts = known.flatMap(({ prompt }, i) =>
    taken[i] === undefined ? [] : [[...prompt, ...known[taken[i]]!.tokens, ...end]],
  );
  if (texts.length > 0) return texts;
  throw new ExperimentError(
    `${vanilla.label} answers all target questions with the same words, so there is nothing to swap. Do without --control overwritten.`,
  );
}

/**
 * Gives each answer's place to another answer, at random.
 * @returns for each place the index of the answer that it gets, which has other words; undefined where there is none, because more than half
 * of the answers have the same words
 */
export function swap(answers: readonly string[], random: Random): (number | undefined)[] {
  const alike = new Map<string, number[]>();
  for (const i of shuffled([...answers.keys()], random)) alike.set(answers[i]!, [...(alike.get(answers[i]!) ?? []), i]);
  // Equal answers lie side by side, and all move on by the most that are equal.
  const order = [...alike.values()].flat();
  const step = Math.max(...Array.from(alike.values(), ({ length }) => length));
  const taken: (number | undefined)[] = answers.map(() => undefined);
  for (const [place, i] of order.entries()) {
    const other = order[(place + step) % order.length]!;
    if (answers[other] !== answers[i]) taken[i] = other;
  }
  return taken;
}
