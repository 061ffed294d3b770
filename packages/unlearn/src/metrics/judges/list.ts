import { checked, text } from "@lethe/tensor/checked";
import { named } from "../../named.ts";
import { exact } from "./exact.ts";
import type { Judge } from "./judge.ts";
import { keywords } from "./keywords.ts";
import { rougeLJudge } from "./rouge-l.ts";

/** Every judge of Lethe. A new one is a file in this folder and an entry here. */
export const judges: readonly Judge[] = [exact, keywords, rougeLJudge];

/**
 * The judge of a name.
 * @throws {LetheError} when there is none, naming the nearest
 * @function
 */
export const judgeNamed = checked("judgeNamed", { name: text }, (name: string): Judge => named("judge", judges, name));
