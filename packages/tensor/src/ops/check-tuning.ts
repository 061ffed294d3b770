import { showValue } from "../arguments.ts";
import { ArgumentError } from "../errors.ts";
import type { Tuning } from "../gpu/tuning.ts";
import { attentionFamilies } from "./attention-plan.ts";
import { matmulKernels } from "./matmul-plan.ts";

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isSize = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
const isFamily = (value: unknown) => attentionFamilies.some((family) => family === value);

/** What each choice must be. */
const choices: Readonly<Record<Exclude<keyof Tuning, "adapter">, (choice: unknown) => boolean>> = {
  matmul: (choice) =>
    isObject(choice) &&
    matmulKernels.some((kernel) => kernel === choice.kernel && kernel !== "mixed") &&
    (choice.rows === undefined || isSize(choice.rows)) &&
    (choice.lanes === undefined ||
      (Array.isArray(choice.lanes) && choice.lanes.length === 2 && choice.lanes.every(isSize))),
  attention: isFamily,
  attentionBackward: (choice) => isFamily(choice) && choice !== "decode",
  rows: (choice) => isObject(choice) && isSize(choice.LANES) && isSize(choice.ROWS),
};

const again = "make it again with `npm run bench -- --tune FILE`";

/**
 * Checks what comes from a file, before a plan believes it.
 * @throws {ArgumentError} when it was made on another adapter, or names what this version does not have
 */
export function checkTuning(tuning: unknown, adapter: string): asserts tuning is Tuning {
  if (!isObject(tuning) || typeof tuning.adapter !== "string")
    throw new ArgumentError(`openDevice: tuning is ${showValue(tuning)}; expected what a tuning file holds`);
  if (tuning.adapter !== adapter)
    throw new ArgumentError(
      `openDevice: the tuning was made on "${tuning.adapter}" and this device is "${adapter}"; ${again} here, or leave it out`,
    );
  for (const [plan, accepts] of Object.entries(choices)) {
    const table = tuning[plan];
    if (!isObject(table)) throw new ArgumentError(`openDevice: tuning.${plan} is ${showValue(table)}; ${again}`);
    for (const [key, choice] of Object.entries(table))
      if (!accepts(choice))
        throw new ArgumentError(
          `openDevice: tuning.${plan}["${key}"] is ${JSON.stringify(choice)}, which this version does not have; ${again}`,
        );
  }
}
