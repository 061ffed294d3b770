import type { Decoder } from "@lethe/decoder";
import { forgetParagraphs, methodNamed, methods, recipeSchema, unlearn, unlearningMemory } from "@lethe/unlearn";
import { z } from "zod";
import { keepFinished, keepingTraining, leftOutTexts, stepEntry, takeUpTraining } from "./kept-training.ts";
import { askQuestions, bleuOf, recordAnswers } from "./known-answers.ts";
import { Meter } from "./meter.ts";
import { answersRecord, conceptReference, type Figures, type SubjectKind, type SubjectTask } from "./subject.ts";

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

type Config = z.infer<typeof config>;

const record = answersRecord.extend({
  leftOut: leftOutTexts,
  /** One entry for each optimiser step. */
  steps: z.array(stepEntry),
});

/** About which shares of the time the stages take where no forecast says it. Only the progress depends on them. */
const SHARES = { asking: 0.05, unlearning: 0.65, answering: 0.3 };

/** The stage in which the state of a training is written. */
const KEEPING = "keeping the training";

/** What `unlearn` is given for a cell. */
export async function howToUnlearn(
  { text }: Decoder,
  { config, sources }: Pick<SubjectTask<Config>, "config" | "sources">,
) {
  const { method, options, training } = config.subject;
  const encode = (texts: readonly string[]) => Promise.all(texts.map((paragraph) => text!.encode(paragraph)));
  return {
    method,
    options,
    recipe: training,
    forget: await encode(forgetParagraphs(sources.concept, config.seed)),
    retain: await encode(forgetParagraphs(sources.retain, config.seed)),
    seed: config.seed,
  };
}

/** A copy of the vanilla model that a method makes forget the concept. */
export const unlearned: SubjectKind<Config, z.infer<typeof record>> = {
  kind: "unlearned",
  config,
  record,
  option: {
    flags: "--method <name>",
    description: methods.map(({ name, title, source }) => `${name}: ${title} (${source})`).join("; "),
  },
  choose: async (names, { recipe, retain }) =>
    [...new Set(names.map(methodNamed))].map((method) => {
      const training = recipe(method);
      return { config: config.parse({ kind: "unlearned", method: method.name, options: {}, retain, training }) };
    }),
  label: ({ method }) => methodNamed(method),
  async make({ config, sources, models, known, watcher, unfinished }) {
    const { training } = config.subject;
    const { vanilla } = models;
    const how = await howToUnlearn(vanilla, { config, sources });
    const model = await models.copy("unlearning", unlearningMemory(vanilla, how));
    const knownAnswers = await known();
    const { log, from, finish } = await takeUpTraining(unfinished, watcher);
    const { steps, answers } = log;
    let now: Figures = {};
    let epochs = training.epochs;
    /** Reports, with the shares of all steps and of all answers that are done. */
    const progress = (stage: string, trained: number, answered: number) =>
      watcher.progress(SHARES.asking + SHARES.unlearning * trained + SHARES.answering * answered, stage, now);
    let meter = new Meter();
    const run = unlearn(model, {
      ...how,
      onLeftOut(counts) {
        log.leftOut = counts;
        const texts = Object.entries(counts).map(([role, count]) => `${count} ${role} text${count > 1 ? "s" : ""}`);
        watcher.remark(`${texts.join(" and ")} left out of the training: too short, with fewer than two tokens.`);
      },
      onMicroBatch({ done, of, epochs: begun, tokens }) {
        epochs = begun;
        now = { ...now, step: { done, of }, tokensPerSecond: meter.add(tokens) };
        progress("unlearning", done / of, answers.length / epochs);
      },
      onStep({ loss }) {
        now = { ...now, loss };
      },
      saving: keepingTraining(unfinished, log, ({ steps, of }, saved) => {
        progress(saved ? "unlearning" : KEEPING, steps / of, answers.length / epochs);
      }),
      from,
      signal: watcher.signal,
    });
    if (finish) await finish(model);
    for await (const records of finish ? [] : run) {
      const epoch = answers.length + 1;
      for (const { loss, gradientNorm, learningRate } of records)
        steps.push({ epoch, loss, gradientNorm, learningRate });
      let columns = 0;
      const onToken = (tokensPerSecond: number) => {
        now = { ...now, tokensPerSecond };
        const within = Math.min(1, columns++ / config.evaluation.maxAnswerTokens);
        progress("answering", epoch / epochs, (epoch - 1 + within) / epochs);
      };
      progress("answering", epoch / epochs, (epoch - 1) / epochs);
      answers.push(await askQuestions(model, knownAnswers, { config, models }, { onToken, signal: watcher.signal }));
      const bleu = bleuOf(knownAnswers, answers.at(-1)!);
      now = { ...now, bleu };
      const loss = records.at(-1)?.loss.toFixed(3) ?? "none";
      const score = `BLEU target ${bleu.target.toFixed(2)}, unrelated ${bleu.unrelated.toFixed(2)}`;
      watcher.remark(`epoch ${epoch} of ${epochs}: loss ${loss}, ${score}`);
      meter = new Meter();
    }
    if (!finish) {
      progress(KEEPING, 1, 1);
      await keepFinished(unfinished, log, model);
    }
    const answered = recordAnswers(config, knownAnswers, answers);
    return { model, record: { ...answered, ...(log.leftOut && { leftOut: log.leftOut }), steps } };
  },
};
