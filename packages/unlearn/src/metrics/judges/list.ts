import { LetheError } from "@lethe/tensor";
import { checked, text } from "@lethe/tensor/checked";
import leven from "leven";
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
export const judgeNamed = checked("judgeNamed", { name: text }, (name: string): Judge => {
  const found = judges.find((judge) => judge.name === name);
  if (found) return found;
  const names = judges.map((judge) => judge.name);
  const [nearest] = names.toSorted((a, b) => leven(a, name.toLowerCase()) - leven(b, name.toLowerCase()));
  throw new LetheError(`there is no judge "${name}"; "${nearest}" comes nearest. The judges are ${names.join(", ")}.`);
});
