import { checked, text } from "@lethe/tensor/checked";
import { named } from "../named.ts";
import { dpo, dpoRetain } from "./dpo.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import { gradientDifference, gradientDifferenceKl } from "./gradient-difference.ts";
import type { Method } from "./method.ts";
import { npo, npoGd, npoKl } from "./npo.ts";
import { rmu } from "./rmu.ts";
import { simnpo } from "./simnpo.ts";
import { taskVector } from "./task-vector.ts";
import { undial } from "./undial.ts";

/** Every method of Lethe. A new one is a file in this folder and an entry here. */
export const methods: readonly Method[] = [
  gradientAscent,
  gradientDifference,
  gradientDifferenceKl,
  dpo,
  dpoRetain,
  npo,
  npoKl,
  npoGd,
  simnpo,
  rmu,
  undial,
  taskVector,
];

/**
 * The method of a name.
 * @throws {LetheError} when there is none, naming the nearest
 * @function
 */
export const methodNamed = checked(
  "methodNamed",
  { name: text },
  (name: string): Method => named("method", methods, name),
);
