import { type HookPoint, Hooks, selectPoints } from "@lethe/hooks";

/**
 * The hooks of a run, as far as they are at the points of a part of it.
 * @param all points of the whole run
 * @throws {HookError} when a hook names no point of the whole run, or a layer that it lacks
 */
export function hooksOfPart(hooks: Hooks, part: readonly HookPoint[], all: readonly HookPoint[]): Hooks {
  const reached = new Set(part.map(({ name }) => name));
  return new Hooks(
    hooks.list.flatMap(({ layers, ...hook }) => {
      const wanted = selectPoints(all, hook.selector, layers).map(({ name }) => name);
      const here = new Set(wanted.filter((name) => reached.has(name)));
      return here.size > 0 ? [{ ...hook, selector: ({ name }: HookPoint) => here.has(name) }] : [];
    }),
  );
}
