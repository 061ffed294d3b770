import { type Hook, Hooks, pointAt, type Site, sites, type TensorSource } from "@lethe/hooks";
import type { Tensor } from "@lethe/tensor";
import { atLeast, checked } from "@lethe/tensor/checked";
import type { RestorationContext, Setting } from "./settings/setting.ts";

/**
 * The layers restored around a centre: centre − radius … centre + radius, clipped at the ends (arXiv 2410.06606, Section 3, has
 * radius 2). Windows at the ends are narrower: the last two of radius 2 cover four and three layers.
 * @function
 */
export const windowAround = checked(
  "windowAround",
  { centre: atLeast(0), radius: atLeast(0), depth: atLeast(1) },
  (centre: number, radius: number, depth: number): number[] => {
    const first = Math.max(0, centre - radius);
    const last = Math.min(depth - 1, centre + radius);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  },
);

/** The centres of a sweep: 0, s, 2s, … for a stride s. @function */
export const sweepCentres = checked(
  "sweepCentres",
  { depth: atLeast(1), stride: atLeast(1) },
  (depth: number, stride: number): number[] => Array.from({ length: Math.ceil(depth / stride) }, (_, i) => i * stride),
);

/** One restoration of a sweep. */
export interface Window {
  readonly centre: number;
  /** The first layer restored: earlier ones are the unlearned model's own. */
  readonly first: number;
  readonly hooks: Hooks;
}

/** A setting's restoration around a centre. */
export function windowOf(
  setting: Setting,
  centre: number,
  radius: number,
  context: Omit<RestorationContext, "window">,
): Window {
  const window = windowAround(centre, radius, context.depth);
  return { centre, first: window[0]!, hooks: setting.hooks({ ...context, window }) };
}

/**
 * Whether a pass with these hooks can be run one layer at a time, beside other windows: every hook replaces a site of named layers.
 * An edit may look at the whole batch, and a hook outside the blocks belongs to no layer.
 */
export function goesByLayers({ hooks, first }: Window, depth: number): boolean {
  return hooks.list.every(
    ({ action, selector, layers }) =>
      action.kind === "replace" &&
      typeof selector === "string" &&
      Object.hasOwn(sites, selector) &&
      sites[selector as Site].inBlock &&
      layers?.every((layer) => layer >= first && layer < depth),
  );
}

/** Windows in groups that do the same in a layer, in the order of their first members: each group can be one batch. */
export function alikeIn(layer: number, windows: readonly Window[]): { hooks: readonly Hook[]; windows: Window[] }[] {
  const groups: { hooks: readonly Hook[]; windows: Window[] }[] = [];
  for (const window of windows) {
    const hooks = window.hooks.list.filter(({ layers }) => layers?.includes(layer));
    const group = groups.find((group) => sameHooks(group.hooks, hooks));
    if (group) group.windows.push(window);
    else groups.push({ hooks, windows: [window] });
  }
  return groups;
}

function sameHooks(some: readonly Hook[], others: readonly Hook[]): boolean {
  return some.length === others.length && some.every((hook, i) => sameHook(hook, others[i]!));
}

function sameHook(one: Hook, other: Hook): boolean {
  const sourceOf = ({ action }: Hook) => (action.kind === "replace" ? action.source : undefined);
  return (
    one.selector === other.selector &&
    sourceOf(one) === sourceOf(other) &&
    `${one.positions ?? "all"}` === `${other.positions ?? "all"}`
  );
}

/** A group's hooks in one layer, for a batch that holds the questions `times` over. */
export function repeatedHooks(hooks: readonly Hook[], layer: number, times: number): Hooks {
  return new Hooks(
    hooks.map((hook) => {
      const { action } = hook;
      if (action.kind !== "replace" || times === 1) return { ...hook, layers: [layer] };
      return { ...hook, layers: [layer], action: { ...action, source: repeatedSource(action.source, times) } };
    }),
  );
}

/** A source whose activations are `times` over those of another. They are made when first asked for, in the scope that is open then. */
function repeatedSource(source: TensorSource, times: number): TensorSource {
  const made = new Map<string, Tensor>();
  return {
    label: source.label,
    tensorAt(site, layer) {
      const { name } = pointAt(site, layer);
      const once = source.tensorAt(site, layer);
      if (!once || sites[site].parameter) return once;
      const repeated = made.get(name) ?? timesOver(once, times);
      made.set(name, repeated);
      return repeated;
    },
    heldAt(site, layer) {
      const held = source.heldAt?.(site, layer);
      return held && { ...held, sequences: held.sequences && Array(times).fill(held.sequences).flat() };
    },
  };
}

function timesOver(once: Tensor, times: number): Tensor {
  const [sequences, ...rest] = once.shape as [number, ...number[]];
  const repeated = once.device.empty([times * sequences, ...rest], once.dtype, once.label);
  for (let i = 0; i < times; i++) once.device.copyBytes(once, 0, repeated, i * once.bytes, once.bytes);
  return repeated;
}
