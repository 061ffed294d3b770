import type { Decoder } from "@lethe/decoder";
import { addInto, type F32, randomNormal, seedOf } from "@lethe/tensor";
import { isEqual } from "es-toolkit/predicate";
import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import { answerLoss, type Change, changeRecord, readNorms } from "./change.ts";
import { recordFinished } from "./finished.ts";
import { given, givenConfig } from "./given.ts";
import { matchLoss } from "./match-loss.ts";
import { answersRecord, type SubjectKind } from "./subject.ts";
import { unlearned, unlearnedConfig } from "./unlearned.ts";

const config = z.strictObject({
  kind: z.literal("noise"),
  /** The unlearned subject whose change is imitated. Its cell is the one that differs from this subject's in nothing else. */
  matches: z.union([unlearnedConfig, givenConfig]),
  /** How far the loss* may be from that subject's, as a share of it. Where no factor reaches it, the nearest is taken. */
  tolerance: z.number().positive().default(0.01),
});

const record = answersRecord.extend({
  change: changeRecord,
  /** The norm of each weight's noise is this many times that of the matched subject's change. */
  factor: z.number().positive(),
  /** loss* of the matched subject. That of this one is `change.loss`. */
  matchedLoss: z.number().positive(),
});

/** What has to be on record of the subject that is matched. */
const matchedRecord = z.looseObject({ change: changeRecord });

/** The vanilla model, damaged at random as much as an unlearned one was changed. */
export const noise: SubjectKind<z.infer<typeof config>, z.infer<typeof record>> = {
  kind: "noise",
  config,
  record,
  control: {
    description:
      "the vanilla model with Gaussian noise on its weights, for each unlearned model: each weight's noise is in norm as the weight's " +
      "change by unlearning, times one factor that makes loss* the same",
    controls: (control, other) => control.seed === other.seed && isEqual(control.subject.matches, other.subject),
    matches: ({ matches }) => matches,
  },
  choose: async (names, { controlled }) =>
    names.flatMap(() => controlled.map((matches) => ({ config: config.parse({ kind: "noise", matches }) }))),
  label({ matches }) {
    const { name, title } = matches.kind === "given" ? given.label(matches) : unlearned.label(matches);
    return { name: `${name}-noise`, title: `Noise as large as ${title}` };
  },
  async make(task) {
    const { config, models, known, matched, watcher } = task;
    const { vanilla } = models;
    const { signal } = watcher;
    const { change } = matchedRecord.parse(matched);
    const bytes = 4 * Math.max(...Array.from(vanilla.weights.values(), ({ shape }) => shape.reduce((a, b) => a * b)));
    const model = await models.copy("damaging", [{ part: "noise", name: "the largest weight", bytes }]);
    const knownAnswers = await known();
    const drawn = await noiseLike(change, model, config.seed, signal);
    const { factor, loss } = await matchLoss(change.loss, config.subject.tolerance, async (factor) => {
      watcher.progress(0.1, "matching the noise");
      await vanilla.giveWeights(model, signal);
      await addNoise(drawn, factor, signal);
      return answerLoss(model, { vanilla, known: knownAnswers, signal });
    });
    const reached = Math.abs(loss / change.loss - 1) <= config.subject.tolerance;
    watcher.remark(
      `noise of ${factor.toPrecision(3)} times the norms of the change: loss* ${loss.toPrecision(3)}, ` +
        `wanted ${change.loss.toPrecision(3)}${reached ? "" : "; no factor comes nearer"}`,
    );
    const { answers, record } = await recordFinished(model, knownAnswers, task, 0.5);
    return { model, answers, record: { ...record, factor, matchedLoss: change.loss } };
  },
};

/** Gaussian noise on one weight. It is drawn anew whenever it is added, so that no more than one weight's noise is in memory. */
interface Noise {
  readonly weight: F32;
  readonly seed: number;
  readonly std: number;
}

/**
 * Noise for a model's weights, of the norms of a change.
 * @param model in f32
 * @throws ExperimentError when nothing changed
 */
async function noiseLike({ weights }: Change, model: Decoder, seed: number, signal: AbortSignal): Promise<Noise[]> {
  const changed = Object.entries(weights).filter(([, { change }]) => change > 0);
  if (changed.length === 0)
    throw new ExperimentError("the unlearned model's weights are the vanilla model's, so there is nothing to match");
  const drawn = changed.map(([name, { change }]) => {
    const own = seedOf(seed, "noise", name);
    return { weight: model.weights.get(name) as F32, seed: own, change };
  });
  const draws = drawn.map(
    ({ weight, seed }) =>
      (): F32 =>
        randomNormal(weight.device, weight.shape, { seed }),
  );
  const norms = await readNorms(model.device, draws, draws.length, signal);
  return drawn.map(({ change, ...part }, i) => ({ ...part, std: change / norms[i]! }));
}

/** Adds noise, times a factor. */
async function addNoise(noise: readonly Noise[], factor: number, signal: AbortSignal): Promise<void> {
  for (const { weight, seed, std } of noise) {
    const { device, shape } = weight;
    await device.ready(signal);
    using _ = device.scope("noise");
    addInto(weight, randomNormal(device, shape, { seed, std: factor * std }));
  }
}
