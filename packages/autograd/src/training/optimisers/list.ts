import { anyObject, checked, listOf, oneOf, optional } from "@lethe/tensor/checked";
import { Optimiser } from "../optimiser.ts";
import type { Trainable } from "../parameter.ts";
import { adafactor } from "./adafactor.ts";
import { type AdamWSettings, adamw } from "./adamw.ts";
import { adamw8bit } from "./adamw-8bit.ts";
import type { OptimiserRule } from "./rule.ts";

/** The optimisers, by whose names recipes ask for them. */
export const optimisers = [adamw, adamw8bit, adafactor] as const;
/** Names of `optimisers`. */
export type OptimiserName = (typeof optimisers)[number]["name"];
export const optimiserNames = optimisers.map(({ name }) => name);

/**
 * An optimiser's rule by its name.
 * @param name default: `adamw`
 * @function
 */
export const optimiserNamed = checked(
  "optimiserNamed",
  { name: optional(oneOf(optimiserNames)) },
  (name: OptimiserName = "adamw"): OptimiserRule =>
    optimisers.find((each) => each.name === name)! as OptimiserRule<never> as OptimiserRule,
);

const common: readonly string[] = [
  "weightDecay",
  "decays",
  "clipNorm",
  "weights",
  "seed",
] satisfies (keyof AdamWSettings)[];

/**
 * An optimiser by its name, from the settings of AdamW: each takes those that it has.
 * @throws {LetheError} as the constructor of `Optimiser` does
 * @function
 */
export const makeOptimiser = checked(
  "makeOptimiser",
  { name: oneOf(optimiserNames), trainables: listOf(anyObject), settings: anyObject },
  (name: OptimiserName, trainables: readonly Trainable[], settings: AdamWSettings): Optimiser => {
    const rule = optimiserNamed(name);
    const own = Object.entries(settings).filter(([key]) => common.includes(key) || key in rule.settings);
    return new Optimiser(rule, trainables, Object.fromEntries(own) as unknown as AdamWSettings);
  },
);
