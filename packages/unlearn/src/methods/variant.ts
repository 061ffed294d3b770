import { parsed } from "../parsed.ts";
import type { Method } from "./method.ts";

/**
 * A method under a name of its own, whose options have other defaults, such as NPO+KL. Command lines, files and figures tell methods apart
 * by their names, so a choice of options that is to be compared with another one needs a name.
 */
export function variant<O>(
  method: Method<O>,
  own: Pick<Method<O>, "name" | "title" | "options"> & Partial<Pick<Method<O>, "source">>,
): Method<O> {
  const { objective } = method;
  if (!objective) return { ...method, ...own };
  return { ...method, ...own, objective: (given) => objective(parsed(`options of ${own.name}`, own.options, given)) };
}
