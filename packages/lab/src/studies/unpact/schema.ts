import { TOKEN_CLASSES } from "@lethe/unlearn";
import { z } from "zod";
import { ANSWERS, OTHER_ATTRIBUTIONS } from "./options.ts";

const tally = z.number().int().min(0);
const numbers = z.array(z.number());

/** A question that is compared, and whether it was answered right. */
const judged = z.strictObject({
  question: z.string().min(1),
  /** Whether it was judged by the data's own answer. Where the data have none, the vanilla model's answer is the one to give. */
  expected: z.boolean(),
  /** Whether the vanilla model's answer is right. */
  before: z.boolean(),
  /** Whether the subject's is. */
  after: z.boolean(),
});
export type JudgedQuestion = z.infer<typeof judged>;

/** What the words of a prompt contribute to an answer y. */
const attribution = z.strictObject({
  /** LP(x, y): the mean log-probability of the answer's tokens, in nats. */
  logProb: z.number(),
  /** C(x_i, y) of each word, in nats. */
  contributions: numbers,
});
export type MeasuredAttribution = z.infer<typeof attribution>;

/** By whose answer is scored. Null where a model's own answer has no tokens. */
const attributions = z.partialRecord(z.enum(ANSWERS), attribution.nullable());

/** A question whose words were left out one by one. */
const attributed = z.strictObject({
  words: z.array(z.string().min(1)).min(1),
  /** The vanilla model's own answer is the vanilla answer, so it is not there twice: see `attributionOf`. */
  vanilla: attributions,
  subject: attributions,
});
export type AttributedWords = z.infer<typeof attributed>;

/** For each attributed question whether the answer was right. Null where it was not asked so. */
const verdicts = z.array(z.boolean().nullable());

/** A way to ask a question again. */
const prompt = z.strictObject({
  kind: z.enum(["emphasis", "neutral", "context"]),
  /** The emphasis's or context's name. */
  name: z.string().min(1),
  /** Whether it is the control: other words than the key words, words that say nothing, or another concept. */
  control: z.boolean(),
});
export type Prompt = z.infer<typeof prompt>;

/** What came of asking the questions about the concept in one way. */
const elicited = prompt.extend({
  /** The vanilla model's answers, where its plain answer is right and there are words to emphasise. */
  vanilla: verdicts,
  /** The subject's, where, besides, its own plain answer is wrong. */
  subject: verdicts,
});
export type Elicited = z.infer<typeof elicited>;

/** The first emphasis with other key words: those of the sweep's rules. */
const swept = z.strictObject({
  /** The words that were emphasised, by their places. */
  words: z.array(tally),
  right: z.boolean(),
});

const sums = z.strictObject({
  /** Of the tokens' log-probabilities, in nats. */
  logProb: z.number(),
  /** Of their probabilities. */
  probability: z.number().min(0),
});

/** What two models make of the tokens of one class that occur about equally often: a group of `tokenGroups`. Groups without a token are left out. */
const collapse = z.strictObject({
  class: z.enum(TOKEN_CLASSES),
  from: z.number().int().min(1),
  to: z.number().int().min(1).nullable(),
  count: z.number().int().min(1),
  vanilla: sums,
  subject: sums,
});
export type CollapsedGroup = z.infer<typeof collapse>;

const kinds = <T extends z.ZodType>(schema: T) =>
  z.strictObject({ target: z.array(schema), unrelated: z.array(schema) });

const epoch = kinds(attribution.nullable());
export type EpochAttributions = z.infer<typeof epoch>;

export const unpactSchema = z
  .strictObject({
    /** Every question that is compared. */
    judged: kinds(judged),
    /** The first of them, whose words were left out. */
    attributed: kinds(attributed),
    /**
     * After each epoch of training but the last, where it was asked for: what the words of the attributed questions contribute to the answer
     * whose key words are emphasised.
     */
    epochs: z.array(epoch),
    /** Scores that other attributions give to the words of the first attributed target questions, in the vanilla model, for its own answer. */
    compared: z.array(z.strictObject({ attribution: z.enum(OTHER_ATTRIBUTIONS), scores: z.array(numbers) })),
    elicited: z.array(elicited),
    /** For each attributed target question. */
    swept: z.array(z.array(swept)),
    /** Of the answers that were drawn to each attributed target question, how many are right. Null where none was drawn. */
    drawn: z.strictObject({ samples: tally, right: z.array(tally.nullable()) }),
    /** What both models make of the words of all compared questions and of the vanilla model's answers to them. */
    collapse: kinds(collapse),
    /** Answers word for word, of the first questions that were asked again. */
    examples: z.array(
      prompt.extend({
        /** The question as it was asked. */
        asked: z.string(),
        answer: z.string(),
        right: z.boolean(),
      }),
    ),
  })
  .superRefine((result, context) => {
    const add = (message: string) => context.addIssue({ code: "custom", message });
    for (const kind of ["target", "unrelated"] as const) {
      if (result.attributed[kind].length > result.judged[kind].length)
        add(`more ${kind} questions are attributed than were judged`);
      if (result.epochs.some((epoch) => epoch[kind].length !== result.attributed[kind].length))
        add(`not every epoch has the attributed ${kind} questions`);
      for (const { words, ...models } of result.attributed[kind])
        for (const one of [models.vanilla, models.subject].flatMap((by) => Object.values(by)))
          if (one && one.contributions.length !== words.length)
            add(`not every word of "${words.join(" ")}" has a contribution`);
    }
    const { target } = result.attributed;
    const whole = [
      ...result.elicited.flatMap(({ vanilla, subject }) => [vanilla, subject]),
      result.swept,
      result.drawn.right,
    ];
    if (whole.some(({ length }) => length !== target.length))
      add(`not every list has entries for ${target.length} target questions`);
    for (const { scores } of result.compared)
      if (scores.some((list, i) => list.length !== target[i]?.words.length)) add("not every compared word has a score");
    if (result.drawn.right.some((right) => right !== null && right > result.drawn.samples))
      add("more drawn answers are right than were drawn");
  });
export type UnpactResult = z.infer<typeof unpactSchema>;
