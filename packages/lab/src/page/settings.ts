import { methods } from "@lethe/unlearn";
import { z } from "zod";
import { PRESETS } from "../cells/presets.ts";
import { controlKinds } from "../commands/experiment/choose.ts";
import { studies } from "../studies/list.ts";
import { type BundledName, DROPPED } from "./bundled.ts";

const number = z.coerce.number();
const names = <T extends string>(known: readonly T[]) => z.enum(known as unknown as [T, ...T[]]);
/** A list, in a link with commas between. */
const list = <T extends string>(known: readonly T[], otherwise: T[]) =>
  z
    .preprocess(
      (value) => (typeof value === "string" ? value.split(",").filter(Boolean) : value),
      z.array(names(known)),
    )
    .default(otherwise);

/** Everything that a person chooses. A run of the same settings is the same experiment, in a tab and on a command line. */
export const settingsSchema = z.object({
  /** A bundled model's name, the URL of a directory, or `org/name` on the Hugging Face Hub. Dropped files are called {@link DROPPED}. */
  model: z
    .string()
    .min(1)
    .default("tiny-llama" satisfies BundledName),
  concept: z.string().min(1).default("Harry Potter"),
  method: names(methods.map(({ name }) => name)).default("npo"),
  /** Absent for the rate on record, or the method's published one. */
  rate: number.positive().optional(),
  /** Absent for the preset's. */
  epochs: number.pipe(z.int().min(1)).optional(),
  /** How much is asked and trained. */
  preset: names(PRESETS).default("smoke"),
  controls: list(
    controlKinds.map(({ kind }) => kind),
    ["noise"],
  ),
  studies: list(
    studies.map(({ name }) => name),
    ["restoration"],
  ),
  seed: number.pipe(z.int().min(0)).default(0),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Reads the settings of a link's hash. What it does not say, or says wrong, is as on a page without one. */
export function settingsOf(hash: string): Settings {
  const given = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  const fields = Object.entries(settingsSchema.shape).filter(([field]) => field in given);
  const right = fields.filter(([field, schema]) => schema.safeParse(given[field]).success);
  return settingsSchema.parse(Object.fromEntries(right.map(([field]) => [field, given[field]])));
}

/** The options of `npm run experiment` that make the same cells. */
export function argumentsOf({
  model,
  concept,
  method,
  rate,
  epochs,
  preset,
  controls,
  studies,
  seed,
}: Settings): string[] {
  return [
    ["--preset", preset],
    ["--model", /^[\w-]+$/.test(model) && model !== DROPPED ? `models/${model}` : model],
    ["--concept", concept],
    ["--method", method],
    ...(rate === undefined ? [] : [["--rate", String(rate)]]),
    ...(epochs === undefined ? [] : [["--epochs", String(epochs)]]),
    ...(controls.length > 0 ? controls : ["none"]).map((control) => ["--control", control]),
    ...studies.map((study) => ["--study", study]),
    ...(seed === 0 ? [] : [["--seed", String(seed)]]),
  ].flat();
}

/** The command that makes the same cells, as it is typed. */
export function commandOf(settings: Settings): string {
  const quoted = argumentsOf(settings).map((argument) =>
    /^[\w./:=+-]+$/.test(argument) ? argument : `'${argument.replace(/'/g, `'\\''`)}'`,
  );
  return ["npm run experiment --", ...quoted].join(" ");
}
