import { LetheError } from "@lethe/tensor";
import { checked, text } from "@lethe/tensor/checked";
import leven from "leven";
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
export const methodNamed = checked("methodNamed", { name: text }, (name: string): Method => {
  const found = methods.find((method) => method.name === name);
  if (found) return found;
  const names = methods.map((method) => method.name);
  const [nearest] = names.toSorted((a, b) => leven(a, name.toLowerCase()) - leven(b, name.toLowerCase()));
  throw new LetheError(
    `there is no method "${name}"; "${nearest}" comes nearest. The methods are ${names.join(", ")}.`,
  );
});
