import type { Decoder } from "@lethe/decoder";
import { methodNamed, recipeSchema, settings, trainedPart, unlearningWork } from "@lethe/unlearn";
import type { RecipeChanges } from "../recipes/fields.ts";
import type { VanillaPlace } from "../subjects/vanilla/vanilla.ts";
import { type Choice, dimensions, nameOf } from "./choices.ts";
import { afterEachOther, type DryRun, dryRestoration, dryTraining } from "./dry-run.ts";
import { fixedBytes, type Part } from "./parts.ts";
import { type Rates, secondsOf } from "./time.ts";

/** The texts and questions of a job, in tokens. */
export interface Texts {
  /** What they are, in words. */
  readonly name: string;
  readonly forget: readonly (readonly number[])[];
  readonly retain: readonly (readonly number[])[];
  /** Read by methods that prefer refusals. */
  readonly preferred: readonly (readonly number[])[];
  readonly prompts: readonly (readonly number[])[];
  /** How many of the prompts ask about the concept: they are restored. */
  readonly target: number;
  readonly answerTokens: number;
}

/** A method under a choice. */
export interface Wanted {
  readonly method: string;
  readonly choice: Choice;
}

/** What is to be planned. */
export interface PlanOptions {
  readonly wanted: readonly Wanted[];
  readonly epochs: number;
  /** Fields of the recipe that were asked for. */
  readonly changes: RecipeChanges;
  readonly texts: Texts;
  readonly rates: Rates;
  /** Called before each of them, with how many are done. */
  readonly progress?: (done: number, name: string) => void;
}

/** What a method takes under one choice. */
export interface PlannedRow {
  /** More than one where they take the same. */
  readonly methods: readonly string[];
  readonly choice: Choice;
  /** The most bytes that the device holds. */
  readonly bytes: number;
  /** When it holds them: a stage of `dryRun`. */
  readonly at: string;
  readonly parts: readonly Part[];
  /** Bytes for each parameter of what does not depend on the texts: the models' weights, and what the training keeps for each weight. */
  readonly perParameter: number;
  readonly seconds: number;
}

/** The parameters of a model. */
export function parametersOf({ weights }: Decoder): number {
  return [...weights.values()].reduce((sum, { size }) => sum + size, 0);
}

/** The largest weight, which one binding of an adapter holds, or several that are parts of it. */
export function largestWeight({ weights }: Decoder): { readonly name: string; readonly bytes: number } {
  const [name, { bytes }] = [...weights].reduce((most, each) => (each[1].bytes > most[1].bytes ? each : most));
  return { name, bytes };
}

/**
 * Plans a job for each method under its choice, on sketches: nothing is loaded. Rows come in the order of their bytes.
 * @param model a blank model, see `sketchModel`
 */
export async function planRows(model: Decoder, options: PlanOptions): Promise<PlannedRow[]> {
  const { wanted, progress } = options;
  const rows: PlannedRow[] = [];
  const restorations = new Map<string, Promise<DryRun>>();
  for (const [i, { method, choice }] of wanted.entries()) {
    progress?.(i, `${method} ${nameOf(choice)}`);
    const job = jobOf(model, method, choice, options);
    // How weights are updated makes no difference to it.
    const { weights, vanilla } = choice;
    const key = JSON.stringify([weights, vanilla, job.how.trains ?? method]);
    if (!restorations.has(key)) restorations.set(key, dryRestoration(model, job));
    const training = await dryTraining(model, job);
    rows.push(rowOf(model, afterEachOther(training, await restorations.get(key)!), { method, choice, job }, options));
  }
  return alikeTogether(rows).toSorted((a, b) => a.bytes - b.bytes);
}

function jobOf(model: Decoder, method: string, choice: Choice, { epochs, changes, texts }: PlanOptions) {
  const { train, vanilla, ...fields } = choice;
  const { trains, rate, prefers, options: schema } = methodNamed(method);
  const refuses = prefers?.(schema.parse({})) === "refusal";
  // What a method trains itself stands for all of the weights.
  const own = train === "all" && trains !== undefined;
  if (!own) trainedPart(train!).requireIn?.(model.config);
  const { forget, retain, preferred, prompts, target, answerTokens } = texts;
  const recipe = recipeSchema.parse({ learningRate: rate, epochs, ...changes, ...fields });
  return {
    how: {
      method,
      ...(!own && { trains: train }),
      recipe,
      ...{ forget, retain },
      ...(refuses && { preferred }),
      ...(vanilla === "device" && { reference: model }),
      seed: 0,
    },
    ...{ prompts, target, answerTokens },
    restoration: { settings, radius: 2, stride: 1 },
    vanilla: vanilla as VanillaPlace,
  };
}

function rowOf(
  model: Decoder,
  run: DryRun,
  { method, choice, job }: { readonly method: string; readonly choice: Choice; readonly job: ReturnType<typeof jobOf> },
  { rates }: PlanOptions,
): PlannedRow {
  const { steps, batchesPerStep, batches, epochs } = unlearningWork(job.how);
  const repeats = {
    epochs: (steps * batchesPerStep) / batches.length,
    answered: epochs,
    answerTokens: job.answerTokens,
  };
  return {
    methods: [method],
    choice,
    bytes: run.peak,
    at: run.at,
    parts: run.parts,
    perParameter: fixedBytes(run.parts) / parametersOf(model),
    seconds: secondsOf(run, rates, repeats),
  };
}

/** Rows of one choice whose bytes and seconds differ by no more than these shares are one row. */
const ALIKE = { bytes: 0.005, seconds: 0.05 };

function alikeTogether(rows: readonly PlannedRow[]): PlannedRow[] {
  const together: PlannedRow[] = [];
  for (const row of rows) {
    const near = (of: keyof typeof ALIKE, other: PlannedRow) => Math.abs(row[of] - other[of]) <= ALIKE[of] * other[of];
    const place = together.findIndex(
      (other) =>
        dimensions.every(({ name }) => other.choice[name] === row.choice[name]) &&
        near("bytes", other) &&
        near("seconds", other),
    );
    if (place < 0) together.push(row);
    else together[place] = { ...together[place]!, methods: [...together[place]!.methods, ...row.methods] };
  }
  return together;
}
