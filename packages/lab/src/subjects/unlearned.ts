import {
  forgetParagraphs,
  type Method,
  methodNamed,
  methods,
  recipeSchema,
  refusals,
  type TrainingRecipe,
  trainedPart,
  trainedPartForms,
  type UnlearnOptions,
  unlearn,
  unlearningDTypes,
  unlearningMemory,
} from "@lethe/unlearn";
import { z } from "zod";
import { changeRecord, measureChange } from "./change.ts";
import { keepFinished, keepingTraining, leftOutTexts, stepEntry, takeUpTraining } from "./kept-training.ts";
import { askQuestions, bleuOf, liveAnswers, recordAnswers } from "./known-answers.ts";
import { Meter } from "./meter.ts";
import { answersRecord, conceptReference, type Figures, type SubjectKind, type SubjectTask } from "./subject.ts";
import type { Vanilla } from "./vanilla/vanilla.ts";

const common = z.strictObject({
  kind: z.literal("unlearned"),
  /** The concept whose text is the retain text. */
  retain: conceptReference,
  training: recipeSchema,
});

/** The weights that a method names itself, where it does. */
const OWN = "own";

/** What a method trains where nothing else is asked for. */
function usual({ trains }: Method): string {
  return trains ? OWN : "all";
}

/** What is trained: a name of `trainedPart`, or {@link OWN}. */
function trainSchema(method: Method) {
  const known = (name: string) => name === usual(method) || isPart(name);
  return z.string().refine(known, `expected ${trainedPartForms}`).default(usual(method));
}

/** Whether a text is a name of `trainedPart`. */
export function isPart(name: string): boolean {
  try {
    return trainedPart(name) !== undefined;
  } catch {
    return false;
  }
}

/** Each method has options of its own. */
export const unlearnedConfig = z.discriminatedUnion(
  "method",
  methods.map((method) => {
    const { name, options } = method;
    return common.extend({ method: z.literal(name), options, train: trainSchema(method) });
  }) as unknown as [typeof anyMethod],
);
const anyMethod = common.extend({
  method: z.string(),
  options: z.record(z.string(), z.unknown()),
  train: z.string(),
});

type Config = z.infer<typeof unlearnedConfig>;

/** What is recorded of a subject that is trained. */
export const trainedRecord = answersRecord.extend({
  change: changeRecord,
  leftOut: leftOutTexts,
  /** One entry for each optimiser step. */
  steps: z.array(stepEntry),
});
type TrainedRecord = z.infer<typeof trainedRecord>;

/** About which shares of the time the stages take where no forecast says it. Only the progress depends on them. */
const SHARES = { asking: 0.05, unlearning: 0.65, answering: 0.3 };

/** The stage in which the state of a training is written. */
const KEEPING = "keeping the training";

/** What `unlearn` is given for a cell. @param vanilla its `model` may stand beside the trained one as the frozen reference */
export async function howToUnlearn(
  { text, model }: Pick<Vanilla, "text" | "model">,
  { config, sources }: Pick<SubjectTask<Config>, "config" | "sources">,
) {
  const { method, options, training, train } = config.subject;
  const encode = (texts: readonly string[]) => Promise.all(texts.map((paragraph) => text!.encode(paragraph)));
  return {
    method,
    options,
    trains: train === OWN ? undefined : train,
    recipe: training,
    forget: await encode(forgetParagraphs(sources.concept, config.seed)),
    retain: await encode(forgetParagraphs(sources.retain, config.seed)),
    ...(methodNamed(method).prefers?.(options) === "refusal" && { preferred: await encode(refusals) }),
    ...(model && { reference: model }),
    seed: config.seed,
  };
}

/** A copy of the vanilla model that a method makes forget the concept. */
export const unlearned: SubjectKind<Config, TrainedRecord> = {
  kind: "unlearned",
  config: unlearnedConfig,
  record: trainedRecord,
  option: {
    flags: "--method <name>",
    description: methods.map(({ name, title, source }) => `${name}: ${title} (${source})`).join("; "),
  },
  async choose(names, { recipe, retain, train, sizes }) {
    for (const part of train) trainedPart(part).requireIn?.(await sizes());
    return [...new Set(names.map(methodNamed))].flatMap((method) =>
      (train.length > 0 ? train : [usual(method)]).map((part) => {
        const training = recipe(method, part === usual(method) ? undefined : part);
        const chosen = { kind: "unlearned", method: method.name, options: {}, train: part, retain, training };
        return { config: unlearnedConfig.parse(chosen) };
      }),
    );
  },
  label({ method: name, train }) {
    const method = methodNamed(name);
    if (train === usual(method)) return method;
    const { title, source } = method;
    return { name: `${name} ${train}`, title: `${title}, ${trainedPart(train).label}`, source };
  },
  make: trainedBy(({ models, ...task }) => howToUnlearn(models.vanilla, task)),
};

/** Makes subjects by training a copy of the vanilla model; `howTo` says how. */
export function trainedBy<C extends { readonly kind: string; readonly training: TrainingRecipe }>(
  howTo: (task: SubjectTask<C>) => Promise<UnlearnOptions>,
): SubjectKind<C, TrainedRecord>["make"] {
  return async (task) => {
    const { config, models, known, atEpoch, watcher, unfinished } = task;
    const { training } = config.subject;
    const { vanilla } = models;
    const how = await howTo(task);
    const { sizes } = vanilla;
    const model = await models.copy("unlearning", unlearningMemory(sizes, how), unlearningDTypes(sizes, how));
    const knownAnswers = await known();
    const { log, from, finish } = await takeUpTraining(unfinished, watcher);
    const { steps, answers, epochs: measured } = log;
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
      onStep({ step, loss }) {
        now = { ...now, loss };
        watcher.live?.({ kind: "step", step, of: now.step?.of ?? step, loss });
      },
      saving: keepingTraining(unfinished, log, ({ steps, of }, saved) => {
        progress(saved ? "unlearning" : KEEPING, steps / of, answers.length / epochs);
      }),
      from,
      signal: watcher.signal,
    });
    if (finish) await finish(model);
    else progress("unlearning", from ? from.steps / from.of : 0, answers.length / epochs);
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
      const guesses = answers.at(-1);
      answers.push(
        await askQuestions(model, knownAnswers, { config, models }, { guesses, onToken, signal: watcher.signal }),
      );
      const bleu = bleuOf(knownAnswers, answers.at(-1)!);
      now = { ...now, bleu };
      watcher.live?.({ kind: "epoch", epoch, of: epochs, answers: liveAnswers(answers.at(-1)!), bleu });
      const loss = records.at(-1)?.loss.toFixed(3) ?? "none";
      const score = `BLEU target ${bleu.target.toFixed(2)}, unrelated ${bleu.unrelated.toFixed(2)}`;
      watcher.remark(`epoch ${epoch} of ${epochs}: loss ${loss}, ${score}`);
      const follow = (_: number, stage: string) => progress(stage, epoch / epochs, epoch / epochs);
      if (epoch < epochs) measured.push(await atEpoch(model, answers.at(-1)!, { ...watcher, progress: follow }));
      meter = new Meter();
      progress("unlearning", epoch / epochs, epoch / epochs);
    }
    if (!finish) {
      progress(KEEPING, 1, 1);
      await keepFinished(unfinished, log, model);
    }
    const answered = recordAnswers(config, knownAnswers, answers);
    const change = await measureChange(model, { vanilla, known: knownAnswers, signal: watcher.signal });
    const record = { ...answered, change, ...(log.leftOut && { leftOut: log.leftOut }), steps };
    // A training that ended early was measured after its last epoch too.
    return { model, answers: answers.at(-1)!, record, epochs: measured.slice(0, answers.length - 1) };
  };
}
