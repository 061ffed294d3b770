import { Hooks, type Site } from "@lethe/hooks";
import type { RestorationContext, Setting } from "./setting.ts";

/** What the residual stream receives in a block comes from these two activations, and from W_V, which no run changes. */
const ACTIVATIONS = ["m", "A"] as const satisfies readonly Site[];

/** A setting that restores one component in the window, and holds all else at the unlearned model's own values. */
function isolated<const N extends string>(name: N, label: string, marker: string, restores: "m" | "W_V" | "A") {
  return {
    name,
    label,
    marker,
    isolated: true,
    vanilla: [restores],
    own: ACTIVATIONS,
    hooks: ({ window, depth, vanilla, own }: RestorationContext) => {
      const first = window[0]!;
      const fromWindow = Array.from({ length: depth - first }, (_, i) => first + i);
      return ACTIVATIONS.reduce(
        (hooks, site) => {
          const held = fromWindow.filter((layer) => site !== restores || !window.includes(layer));
          return held.length > 0 ? hooks.freeze(site, held, own) : hooks;
        },
        new Hooks().restore(restores, window, vanilla),
      );
    },
  } satisfies Setting<N>;
}

/**
 * The settings of Figure 3 and Appendix C of Hong et al. 2024: one component is restored in the window, and the others are held at the
 * unlearned model's own values there and in all later layers. The restored component is held in the layers after the window, too: what
 * the window changed in the residual stream goes straight to the final norm, and no later m or A answers to it. The commented lines of
 * the authors' notebooks do the same: every m and A that is not restored is set to the unlearned model's own.
 *
 * W_V alone of a layer then changes the logits through m · ΔW_V, with the unlearned model's own m.
 */
export const figure3 = [
  isolated("m-isolated", "m isolated", "circle", "m"),
  isolated("W_V-isolated", "W_V isolated", "triangle-up", "W_V"),
  isolated("A-isolated", "A isolated", "square", "A"),
] as const;
