import {
  type StepRecord,
  selectTrainable,
  selectWeights,
  type Trainable,
  trainingMemory,
  weightsNamed,
} from "@lethe/autograd";
import type { Decoder } from "@lethe/decoder";
import {
  byteLength,
  type FloatDType,
  LetheError,
  type MemoryNeed,
  type Ops,
  ops,
  requireMemory,
  type Weight,
} from "@lethe/tensor";
import {
  anyNumber,
  anyObject,
  atLeast,
  callable,
  checked,
  checkerOf,
  type Kind,
  listOf,
  optional,
  options,
  positive,
  text,
  wholeNumber,
} from "@lethe/tensor/checked";
import type { z } from "zod";
import { decoder, signal, tokens } from "../kinds.ts";
import { parsed } from "../parsed.ts";
import { batchTexts, type LeftOut, lengthOf, passesOf, type Texts, tokensOf, usedBatches } from "./batches.ts";
import { methodNamed, methods } from "./list.ts";
import { LowRankTraining, lowRankMemory } from "./low-rank.ts";
import { type Method, type Objective, type Role, roles, type WeightEdit } from "./method.ts";
import { rowsOfPiece } from "./per-token.ts";
import { recipeSchema, type TrainingRecipe } from "./recipe.ts";
import { referenceForm } from "./references/list.ts";
import { referenceMemory } from "./references/memory.ts";
import { widened, writeWeight } from "./rounding.ts";
import type { SavedTraining, Saving } from "./state.ts";
import { type TrainedPart, trainedPart, trainedPartForms } from "./trainable.ts";
import { type TrainedEpoch, type TrainingProgress, trainEpochs } from "./training.ts";

/** How to unlearn: by a method, or by an objective of your own. */
export type Means =
  | {
      /** The name of one of `methods`, or a method of your own. */
      readonly method: string | Method;
      /** The method's options. Default: its own. */
      readonly options?: Readonly<Record<string, unknown>>;
      readonly objective?: undefined;
    }
  | { readonly objective: Objective; readonly method?: undefined };

/**
 * What to unlearn, and how. Texts are in tokens, and are cut at the recipe's `maxTokens`. An objective needs only the texts that it reads. A
 * text of one token predicts nothing and is left out.
 */
export type UnlearnOptions = Means & {
  /** The learning rate and the number of epochs; all else has a default. */
  readonly recipe: z.input<typeof recipeSchema>;
  /** Texts that are to be forgotten. */
  readonly forget?: Texts;
  /** Texts that are to be kept. */
  readonly retain?: Texts;
  /**
   * Texts that are preferred to those of the same index in `forget`; where there are fewer, they are used again. Default, for a method that
   * prefers retain text: `retain`.
   */
  readonly preferred?: Texts;
  /**
   * What of the model is trained: a name that `trainedPart` knows, such as `W_V` or `lora:8`, or a part of your own. Default: what the method
   * trains, which is every weight where it does not say otherwise. The model's weights hold low-rank updates whenever an epoch is yielded.
   */
  readonly trains?: string | TrainedPart | undefined;
  /**
   * The model as it was before the training, on the same device, in whatever dtype. Only a recipe whose references are recomputed while whole
   * weights are trained needs it.
   */
  readonly reference?: Decoder | undefined;
  /** Decides the order of the texts, and where low-rank updates start. */
  readonly seed: number;
  /** Called before the first step when texts are left out, with their numbers. */
  readonly onLeftOut?: (leftOut: LeftOut) => void;
  /** Called after each batch of texts, several of which may make a step. */
  readonly onMicroBatch?: (progress: TrainingProgress) => void;
  /** Called after each step. */
  readonly onStep?: (record: StepRecord) => void;
  /** Saves the state of the training from time to time, so that it can go on after an interruption. Default: it is not saved. */
  readonly saving?: Saving | undefined;
  /**
   * Goes on from a saved state, with the bits of a training that was never interrupted, if model, all other options and adapter are those
   * of the training that was saved. The model is given as it was before that training.
   */
  readonly from?: SavedTraining | undefined;
  /** Stops the run: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
};

/** Whether an object has no other keys than these: a misspelt one would be passed over in silence, and something else be trained. */
const hasOnly = (value: object, keys: readonly string[]) => Object.keys(value).every((key) => keys.includes(key));
const methodKeys = Object.keys({
  name: 0,
  title: 0,
  source: 0,
  options: 0,
  rate: 0,
  objective: 0,
  edit: 0,
  trains: 0,
  prefers: 0,
  stops: 0,
} satisfies Record<keyof Method, 0>);
const isMethod = (value: unknown) => {
  const { options } = Object(value) as Partial<Method>;
  return anyObject.accepts(value) && hasOnly(value as Method, methodKeys) && typeof options?.safeParse === "function";
};
const isObjective = (value: unknown) => {
  const { reads, reference = {}, loss } = Object(value) as Partial<Objective>;
  return (
    Array.isArray(reads) &&
    reads.length > 0 &&
    reads.every((role, i) => roles.includes(role) && reads.indexOf(role) === i) &&
    Object.keys(reference).every((role) => reads.includes(role as Role)) &&
    typeof loss === "function" &&
    hasOnly(value as Objective, ["reads", "reference", "loss"])
  );
};
const checkObjective = checkerOf("unlearn", {
  objective: {
    wanted: `an object of reads, reference, loss, with reads a list of ${roles.join(", ")}, each once; its reference has no other roles`,
    accepts: isObjective,
  },
});
const partKind = options({
  label: text,
  accepts: callable,
  column: optional(anyNumber),
  lowRank: optional(options({ rank: atLeast(1), alpha: positive })),
  requireIn: optional(callable),
});
const trainsKind: Kind = {
  wanted: `${trainedPartForms}, or ${partKind.wanted}`,
  accepts: (value) => typeof value === "string" || anyObject.accepts(value),
};
const checkPart = checkerOf("unlearn", { trains: partKind });
const unlearnOptions = options({
  method: optional({
    wanted: `the name of a method, or an object of ${methodKeys.join(", ")} with options a zod schema`,
    accepts: (value) => typeof value === "string" || isMethod(value),
  }),
  options: optional(anyObject),
  objective: optional(anyObject),
  recipe: anyObject,
  forget: optional(listOf(tokens)),
  retain: optional(listOf(tokens)),
  preferred: optional(listOf(tokens)),
  trains: optional(trainsKind),
  reference: optional(decoder),
  seed: wholeNumber,
  onLeftOut: optional(callable),
  onMicroBatch: optional(callable),
  onStep: optional(callable),
  saving: optional(anyObject),
  from: optional(anyObject),
  signal,
});

/**
 * Makes a model unlearn, in place. Yields the step records of each epoch when the epoch is done, and starts the next epoch when it is asked
 * for, so that the model can be measured in between. With `from`, the first epoch is the one in which the state was saved, and is yielded
 * with all its records. The model as it is given is the frozen reference. A method's edit of the weights comes
 * before the last epoch's records are yielded. A method that only edits yields one epoch without steps. No scope is held across a wait, so
 * other work may run on the device at the same time.
 * @throws {NonFiniteError} when the loss or the gradient stops being finite
 * @throws {OutOfMemoryError} before the first step, when gradients, moments, activations and what the reference model gives do not fit
 *   the device; it says the bytes of each part
 * @throws {LetheError} when there is no such method, an option or a field of the recipe is wrong, or of the texts that the
 *   objective reads none has two tokens
 * @function
 */
export const unlearn = checked(
  "unlearn",
  { model: decoder, options: unlearnOptions },
  async function* (model: Decoder, options: UnlearnOptions): AsyncGenerator<StepRecord[], void, void> {
    const { seed, signal, onMicroBatch, onStep, onLeftOut, saving, from } = options;
    const prepared = prepare(options, onLeftOut);
    const { objective, edit, trains, stops, recipe, batches, frozen } = prepared;
    if (from && !objective)
      throw new LetheError("unlearn: from: the method trains nothing, so there is nothing to go on with");
    const memory = memoryOf(model, prepared);
    const { weights: kept = "f32" } = recipe;
    const weights: readonly Trainable[] = selectTrainable(model.weights, filterOf(trains), kept);
    requireMemory(model.device, `unlearning ${model.label}`, memory, "Take shorter texts or smaller batches.");

    const starts = needsStarts(prepared) ? weights.map(copyOf) : [];
    try {
      using updates =
        objective && trains?.lowRank && new LowRankTraining(weights, starts, trains.lowRank, { kept, seed });
      const trained = updates
        ? { trainables: updates.trainables, kept: "f32" as const, arithmetic: (ops: Ops) => updates.over(ops) }
        : { trainables: weights, kept };
      const training = {
        batches,
        ...trained,
        recipe,
        seed,
        frozen,
        memory,
        onMicroBatch,
        onStep,
        saving,
        from,
        signal,
      };
      const edited: TrainedEpoch = { records: [], last: true };
      for await (const { records, last } of objective ? trainEpochs(model, objective, training) : [edited]) {
        const ends = stops?.(records) || last;
        updates?.merge();
        if (ends && edit) editWeights(weights, edit, starts, { kept, seed });
        yield records;
        if (ends) return;
        updates?.split();
      }
    } finally {
      for (const start of starts) start.dispose();
    }
  },
);

/**
 * Memory that unlearning needs beside the model, whose trained weights have the dtype of the recipe then, for `requireMemory`: gradients, what
 * the optimiser keeps, the activations of its largest batch, and what the frozen reference gives. Of an objective of your own whose quantities do
 * not say their shapes, this is counted when the first batch has shown its size.
 * @throws {LetheError} as {@link unlearn} does
 * @function
 */
export const unlearningMemory = checked(
  "unlearningMemory",
  { model: decoder, options: unlearnOptions },
  (model: Decoder, options: UnlearnOptions): MemoryNeed[] => memoryOf(model, prepare(options)),
);

/**
 * The dtypes that a copy of a model must have to be unlearned under these options, by the names of its weights: weights that are trained have
 * that of the recipe, and all others stay as they are. See `copyIn` of a model.
 * @throws {LetheError} as {@link unlearn} does
 * @function
 */
export const unlearningDTypes = checked(
  "unlearningDTypes",
  { model: decoder, options: unlearnOptions },
  (model: Decoder, options: UnlearnOptions): ((name: string) => FloatDType) => {
    const { trains, recipe } = prepare(options);
    const { dtype } = weightsNamed(recipe.weights);
    const trained = new Set(selectWeights(model.weights, filterOf(trains)).map(({ parameter }) => parameter.storage));
    return (name) => {
      const weight = model.weights.get(name)!;
      return trained.has(weight.storage) ? dtype : weight.dtype;
    };
  },
);

/** How much there is to do in an unlearning. */
export interface UnlearningWork {
  /** Tokens of each batch of texts, padding included. */
  readonly batches: readonly number[];
  /** Tokens on which the reference model runs, once each, padding included. */
  readonly referenceTokens: number;
  /** Optimiser steps in all, the epochs that they make, and the batches of a step. */
  readonly steps: number;
  readonly epochs: number;
  readonly batchesPerStep: number;
}

/**
 * Counts what {@link unlearn} will do under these options. Nothing runs.
 * @throws {LetheError} as {@link unlearn} does
 * @function
 */
export const unlearningWork = checked(
  "unlearningWork",
  { options: unlearnOptions },
  (options: UnlearnOptions): UnlearningWork => {
    const { objective, recipe, batches, used } = prepare(options);
    const compared = Object.keys(objective?.reference ?? {}) as Role[];
    const references = used.flatMap((texts) => passesOf(Object.fromEntries(compared.map((r) => [r, texts[r]!]))));
    const { perEpoch, total, epochs } = lengthOf(batches.length, recipe);
    return {
      batches: batches.map(tokensOf),
      referenceTokens: references.reduce((sum, tokens) => sum + tokens, 0),
      steps: objective ? total : 0,
      epochs: objective ? epochs : 1,
      batchesPerStep: recipe.stepsPerEpoch ? recipe.gradientAccumulation : batches.length / perEpoch,
    };
  },
);

function memoryOf(model: Decoder, prepared: ReturnType<typeof prepare>): MemoryNeed[] {
  const { objective, trains, recipe, batches, used, wholeLogits } = prepared;
  trains?.requireIn?.(model.config);
  const weights = selectWeights(model.weights, filterOf(trains));
  if (!objective) return [];
  const part = "weights before training";
  const { checkpointing, optimiser, weights: kept } = recipe;
  const { dtype } = weightsNamed(kept);
  const sizes = weights.map(({ name, parameter: { size } }) => {
    return { part, name, bytes: model.device.pool.sizeOf(byteLength(dtype, size), true) };
  });
  const passes = passesOf(batches.reduce((most, batch) => (tokensOf(batch) > tokensOf(most) ? batch : most)));
  const activations = model.activationsToTrain(passes, {
    checkpointing,
    logitRows: wholeLogits ? undefined : rowsOfPiece(model.config.vocab_size),
  });
  const layers = model.config.num_hidden_layers;
  const training = trains?.lowRank
    ? lowRankMemory(model.device, weights, trains.lowRank, { passes, checkpointing, layers, dtype, optimiser })
    : trainingMemory(weights, { optimiser, weights: kept });
  const references = referenceMemory(model, objective, used, referenceForm(recipe.references));
  return [...training, ...(needsStarts(prepared) ? sizes : []), ...activations, ...references];
}

/** Whether the weights before training are kept: for an edit, and to put low-rank updates beside them again. */
function needsStarts({ objective, edit, trains }: Plan): boolean {
  return objective !== undefined && (edit !== undefined || trains?.lowRank !== undefined);
}

function filterOf(part: TrainedPart | undefined) {
  if (!part) return undefined;
  const { label, accepts, column } = part;
  return { label, accepts, ...(column !== undefined && { column }) };
}

/** What a method does under given options. */
interface Plan extends Pick<Method, "stops"> {
  /** Whether the loss may read whole logits: what one of your own does is not known. */
  readonly wholeLogits: boolean;
  readonly objective?: Objective | undefined;
  readonly edit?: WeightEdit | undefined;
  readonly trains?: TrainedPart | undefined;
  readonly prefers?: ReturnType<NonNullable<Method["prefers"]>> | undefined;
}

function planOf(means: UnlearnOptions): Plan {
  if ((means.objective === undefined) === (means.method === undefined))
    throw new LetheError("unlearn: give a method or an objective, and not both");
  if (means.objective !== undefined && "options" in means && means.options !== undefined)
    throw new LetheError("unlearn: options belong to a method; an objective of your own has its numbers in its loss");
  const chosen = typeof means.trains === "string" ? trainedPart(means.trains) : means.trains;
  if (chosen) checkPart([chosen]);
  if (means.objective) {
    checkObjective([means.objective]);
    return { objective: means.objective, wholeLogits: true, trains: chosen };
  }
  const method = typeof means.method === "string" ? methodNamed(means.method) : means.method;
  const options = parsed(`unlearn: options of ${method.name}`, method.options, means.options ?? {});
  const objective = method.objective?.(options);
  if (objective) checkObjective([objective]);
  else if (!method.edit)
    throw new LetheError(`unlearn: ${method.name} has no objective and no edit, so it changes nothing`);
  return {
    objective,
    wholeLogits: !methods.includes(method),
    edit: method.edit?.(options),
    trains: chosen ?? method.trains?.(options),
    prefers: method.prefers?.(options),
    stops: (epoch) => method.stops?.(epoch) ?? false,
  };
}

function prepare(options: UnlearnOptions, onLeftOut?: UnlearnOptions["onLeftOut"]) {
  const plan = planOf(options);
  const recipe = parsed("unlearn: recipe", recipeSchema, options.recipe);
  const { objective } = plan;
  const texts = plan.prefers === "retain" && options.retain ? { preferred: options.retain, ...options } : options;
  const batches = objective ? batchTexts(texts, objective.reads, recipe, options.seed, onLeftOut) : [];
  const used = objective ? usedBatches(batches.length, recipe, options.seed).map((index) => batches[index]!) : [];
  return { ...plan, recipe, batches, used, frozen: frozenModel(plan, recipe, options.reference) };
}

/**
 * The frozen reference, where it is not the trained model with the weights of before: those are under low-rank updates, and before the first
 * step they are the model's own.
 * @throws {LetheError} when it runs while the weights change, and there is no model beside
 */
function frozenModel(
  { objective, trains }: Plan,
  { references }: TrainingRecipe,
  reference: Decoder | undefined,
): Decoder | undefined {
  const changes = Object.keys(objective?.reference ?? {}).length > 0 && !trains?.lowRank;
  if (!changes || !referenceForm(references).runsInTraining) return undefined;
  if (reference) return reference;
  throw new LetheError(
    `unlearn: references "${references}" run the frozen model while the weights change, so it must be beside them: give it as \`reference\`, ` +
      'train low-rank updates (trains "lora:RANK"), or keep what it gives (references "f32" or "f16")',
  );
}

function copyOf({ parameter }: Trainable): Weight {
  const { device, shape, dtype, bytes, label } = parameter;
  const copy = device.lasting(shape, dtype, `${label} before training`);
  device.copyBytes(parameter, 0, copy, 0, bytes);
  return copy;
}

/** @param starts the weights before training; empty where nothing was trained */
function editWeights(
  trainables: readonly Trainable[],
  edit: WeightEdit,
  starts: readonly Weight[],
  rounding: Parameters<typeof writeWeight>[2],
): void {
  for (const [i, trainable] of trainables.entries()) {
    const { name, parameter } = trainable;
    using _ = parameter.device.scope(`edit of ${name}`);
    const trained = widened(parameter);
    const edited = edit(ops, { name, trained, start: starts[i] ? widened(starts[i]) : trained });
    if (`${edited.shape}` !== `${parameter.shape}`)
      throw new LetheError(`unlearn: the edit of ${name} has shape [${edited.shape}]; expected [${parameter.shape}]`);
    if (edited.storage !== parameter.storage) writeWeight(trainable, edited, rounding);
  }
}
