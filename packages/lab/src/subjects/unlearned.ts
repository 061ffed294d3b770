import {
  forgetParagraphs,
  methodNamed,
  methods,
  recipeSchema,
  trainingRecipe,
  unlearn,
  unlearningMemory,
} from "@lethe/unlearn";
import { z } from "zod";
import { keepFinished, keepingTraining, leftOutTexts, stepEntry, takeUpTraining } from "./kept-training.ts";
import { askQuestions, recordAnswers } from "./known-answers.ts";
import { answersRecord, conceptReference, type SubjectKind } from "./subject.ts";

const common = z.strictObject({
  kind: z.literal("unlearned"),
  /** The concept whose text is the retain text. */
  retain: conceptReference,
  training: recipeSchema,
});

/** Each method has options of its own. */
const config = z.discriminatedUnion(
  "method",
  methods.map(({ name, options }) => common.extend({ method: z.literal(name), options })) as unknown as [
    typeof anyMethod,
  ],
);
const anyMethod = common.extend({ method: z.string(), options: z.record(z.string(), z.unknown()) });

const record = answersRecord.extend({
  leftOut: leftOutTexts,
  /** One entry for each optimiser step. */
  steps: z.array(stepEntry),
});

/** About which share of the time the vanilla model's answers take. Only the progress bar depends on it. */
const ASKING = 0.05;

/** A copy of the vanilla model that a method makes forget the concept. */
export const unlearned: SubjectKind<z.infer<typeof config>, z.infer<typeof record>> = {
  kind: "unlearned",
  config,
  record,
  option: {
    flags: "--method <name>",
    description: methods.map(({ name, title, source }) => `${name}: ${title} (${source})`).join("; "),
  },
  choose: async (names, { modelKind, epochs, retain }) =>
    [...new Set(names.map(methodNamed))].map((method) => {
      const training = trainingRecipe(method, modelKind, epochs);
      return { config: config.parse({ kind: "unlearned", method: method.name, options: {}, retain, training }) };
    }),
  label: ({ method }) => methodNamed(method),
  async make({ config, sources, models, known, watcher, unfinished }) {
    const { training, method, options } = config.subject;
    const { vanilla } = models;
    const encode = (texts: readonly string[]) => Promise.all(texts.map((text) => vanilla.text!.encode(text)));
    const how = {
      method,
      options,
      recipe: training,
      forget: await encode(forgetParagraphs(sources.concept, config.seed)),
      retain: await encode(forgetParagraphs(sources.retain, config.seed)),
      seed: config.seed,
    };
    const model = await models.copy("unlearning", unlearningMemory(vanilla, how));
    const knownAnswers = await known();
    const { log, from, finish } = await takeUpTraining(unfinished, watcher);
    const { steps, answers } = log;
    const progress = (stage: string) =>
      watcher.progress(ASKING + ((1 - ASKING) * answers.length) / training.epochs, stage);
    const run = unlearn(model, {
      ...how,
      onLeftOut(counts) {
        log.leftOut = counts;
        const texts = Object.entries(counts).map(([role, count]) => `${count} ${role} text${count > 1 ? "s" : ""}`);
        watcher.remark(`${texts.join(" and ")} left out of the training: too short, with fewer than two tokens.`);
      },
      onStep: () => progress("unlearning"),
      saving: keepingTraining(unfinished, log, () => progress("keeping the training")),
      from,
      signal: watcher.signal,
    });
    if (finish) await finish(model);
    for await (const records of finish ? [] : run) {
      const epoch = answers.length + 1;
      for (const { loss, gradientNorm, learningRate } of records)
        steps.push({ epoch, loss, gradientNorm, learningRate });
      const onToken = () => progress("answering");
      answers.push(await askQuestions(model, { config, sources }, { onToken, signal: watcher.signal }));
    }
    if (!finish) await keepFinished(unfinished, log, model);
    const answered = recordAnswers({ config, sources }, knownAnswers, answers);
    return { model, record: { ...answered, ...(log.leftOut && { leftOut: log.leftOut }), steps } };
  },
};
