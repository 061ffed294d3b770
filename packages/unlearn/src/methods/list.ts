import { checked, text } from "@lethe/tensor/checked";
import { named } from "../named.ts";
import { gradientDifference } from "./gradient-difference.ts";
import type { Method } from "./method.ts";
import { npo } from "./npo.ts";

/** Every method of Lethe. A new one is a file in this folder and an entry here. */
export const methods: readonly Method[] = [gradientDifference, npo];

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
