import type { Decoder } from "@lethe/decoder";
import { type Site, sites } from "@lethe/hooks";
import type { MemoryNeed } from "@lethe/tensor";
import { anyObject, atLeast, checked, optional, options } from "@lethe/tensor/checked";
import { decoder } from "../kinds.ts";
import { settings as everySetting } from "./settings/list.ts";
import type { Setting } from "./settings/setting.ts";
import { windowsTogether } from "./together.ts";

/** Sizes of a {@link QuestionBatch}. */
export interface QuestionSizes {
  readonly questions: number;
  /** Tokens of the longest question with its answer. */
  readonly columns: number;
  /** Rows whose logits are compared. */
  readonly rows: number;
}

/**
 * The memory that a sweep needs beside both models, for `requireMemory`: the activations that the vanilla run and the unlearned model's
 * own run keep for the settings, the logits that are compared, and the activations of one pass.
 * @function
 */
export const restorationMemory = checked(
  "restorationMemory",
  {
    model: decoder,
    sizes: options({ questions: atLeast(1), columns: atLeast(1), rows: atLeast(1) }),
    settings: optional(anyObject),
  },
  (model: Decoder, sizes: QuestionSizes, settings: readonly Setting[] = everySetting): MemoryNeed[] => {
    const { device, config } = model;
    const tokens = sizes.questions * sizes.columns;
    const kept = (part: string, sites: readonly Site[]) =>
      [...new Set(sites)].flatMap((site) =>
        Array.from({ length: config.num_hidden_layers }, (_, layer) => ({
          part,
          name: `${site}.${layer}`,
          bytes: device.pool.sizeOf(4 * tokens * widthOf(model, site, sizes.columns)),
        })),
      );
    const logits = (part: string) => ({
      part,
      name: "logits",
      bytes: device.pool.sizeOf(4 * sizes.rows * config.vocab_size),
    });
    // What is restored in a layer is repeated for the windows that share a pass. It stands in the place of what is not computed then.
    const together = Math.min(config.num_hidden_layers, windowsTogether(tokens * config.hidden_size));
    const [vanilla, own] = ["the vanilla run", "the unlearned run"];
    return [
      ...kept(
        vanilla,
        settings.flatMap((setting) => setting.vanilla).filter((site) => !sites[site].parameter),
      ),
      logits(vanilla),
      ...kept(own, ["resid_pre", ...settings.flatMap((setting) => setting.own ?? [])]),
      logits(own),
      ...model.activationsToRun({ tokens: together * tokens, rows: sizes.rows }),
    ];
  },
);

/** Elements for each token of what passes a site. */
function widthOf({ config }: Decoder, site: Site, columns: number): number {
  const { hidden_size: d, intermediate_size: n, num_attention_heads: heads, num_key_value_heads: groups } = config;
  const widths: Partial<Record<Site, number>> = {
    m: n,
    gate: n,
    up: n,
    q: heads * config.head_dim,
    z: heads * config.head_dim,
    k: groups * config.head_dim,
    v: groups * config.head_dim,
    pattern: heads * columns,
  };
  return widths[site] ?? d;
}
