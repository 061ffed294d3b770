import { contexts, emphases, NORMALISATIONS } from "@lethe/unlearn";
import { z } from "zod";

const count = z.number().int().min(1);
const alpha = z.number().min(0).max(1);
const beta = count;

function namesOf(list: readonly { readonly name: string }[]) {
  return z.array(z.enum(list.map(({ name }) => name) as [string, ...string[]]));
}

/**
 * Whose words y are, to which a prompt's words contribute: the `vanilla` model's answer, each model's `own`, or the one that the data
 * expect.
 */
export const ANSWERS = ["vanilla", "own", "expected"] as const;
export type AnswerOf = (typeof ANSWERS)[number];

/** Attributions that are set beside the leave-one-out contributions, each by the name under which results keep it. */
export const OTHER_ATTRIBUTIONS = ["gradient-times-input", "integrated-gradients", "attention-mass"] as const;
export type OtherAttribution = (typeof OTHER_ATTRIBUTIONS)[number];

/**
 * What is measured. unPact's own values of α, β and N, its templates and the answer that it scores are not known to us, so all of these
 * defaults are our choice. They are sized for software adapters.
 */
export const unpactOptions = z.strictObject({
  /** What is done with a word to see what it contributes: its tokens are deleted, or masked. */
  perturbation: z.enum(["delete", "mask"]).default("delete"),
  /** The answers that are scored. The vanilla model's key words are those for the first of them. */
  answers: z.array(z.enum(ANSWERS)).min(1).default(["vanilla", "own"]),
  /** Whether the contributions to the first of these answers are tracked after every epoch of training, not only after the last. */
  everyEpoch: z.boolean().default(false),
  /** α, β and N of the key words: see `keyTokens`. */
  alpha: alpha.default(0.2),
  beta: beta.default(4),
  normalise: z.enum(NORMALISATIONS).default("max"),
  /** Ways to emphasise the key words. */
  templates: namesOf(emphases).min(1).default(["focus", "capitals"]),
  /** Other values of α and β for which the first template is asked too. Without any, the report shows their effect on key words alone. */
  sweep: z.strictObject({ alpha: z.array(alpha), beta: z.array(beta) }).default({ alpha: [], beta: [] }),
  /** What is put before a question in the place of an emphasis. */
  contexts: namesOf(contexts).default(["role"]),
  /** So many words of the concept's text are a page: of a model with a short context the rest would leave no room. */
  pageWords: count.default(60),
  /** Questions about the concept that are attributed and asked again, from the first of those that are compared. */
  targetQuestions: count.default(5),
  /** Questions about other things that are attributed. Whether their answers are destroyed is judged of all that are compared. */
  otherQuestions: count.default(2),
  /** n and k of leak@k: answers that are drawn to each question, and how many of them somebody may look at. */
  samples: z.number().int().min(0).default(4),
  k: z.array(count).default([1, 2, 4]),
  /** Other attributions of the vanilla model's words, and on how many target questions they are computed. */
  compare: z
    .strictObject({ attributions: z.array(z.enum(OTHER_ATTRIBUTIONS)), questions: count })
    .default({ attributions: [...OTHER_ATTRIBUTIONS], questions: 1 }),
  /** Decides the random other words, and what is drawn. */
  seed: z.number().int().min(0).default(0),
});
export type UnpactOptions = z.infer<typeof unpactOptions>;
