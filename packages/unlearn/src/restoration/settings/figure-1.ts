import { Hooks, type Site } from "@lethe/hooks";
import type { Setting } from "./setting.ts";

/** A setting that restores sites in the window. */
function restored<const N extends string>(
  name: N,
  label: string,
  marker: string,
  restores: readonly Site[],
): Setting<N> {
  return {
    name,
    label,
    marker,
    isolated: false,
    vanilla: restores,
    hooks: ({ window, vanilla }) => restores.reduce((hooks, site) => hooks.restore(site, window, vanilla), new Hooks()),
  };
}

/** The settings of Figure 1 of Hong et al. 2024: MLP coefficients m, value vectors W_V, attention states A, and m with A. */
export const figure1 = [
  restored("m", "m", "circle", ["m"]),
  restored("W_V", "W_V", "triangle-up", ["W_V"]),
  restored("A", "A", "square", ["A"]),
  restored("m+A", "m + A", "diamond", ["m", "A"]),
] as const;
