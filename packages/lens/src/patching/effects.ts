import type { Decoder, Prompt } from "@lethe/decoder";
import { type Site, siteNames, sites } from "@lethe/hooks";
import { LetheError, type Shape } from "@lethe/tensor";
import { oneOf, optional, type Signature, wholeNumbers } from "@lethe/tensor/checked";
import { prompt } from "../kinds.ts";
import { type Metric, metricKind } from "../metrics.ts";
import { sequencesOf } from "../prompts.ts";

/** Which activations are exchanged between the runs of two prompts, and what is measured. */
export interface PatchingOptions {
  /** The prompt whose activations are put into the run of the other. */
  readonly clean: Prompt;
  /** A prompt of as many tokens that changes the behaviour. */
  readonly corrupted: Prompt;
  readonly metric: Metric;
  /** The activation, a site in blocks. Default: `resid_pre`; by head: `z`. */
  readonly site?: Site;
  /** What is patched at a time in each layer: one position at all heads, or one head at all positions. Default: `position`. */
  readonly by?: "position" | "head";
  /** Layers from 0. Default: all. */
  readonly layers?: readonly number[];
  /** The positions of the prompt that are patched; −1 is the last. Default: all. */
  readonly positions?: readonly number[];
  /** The heads that are patched, at a site that has heads. Default: all. */
  readonly heads?: readonly number[];
}

/** What patching does to a metric, or is estimated to do. */
export interface PatchingEffects {
  readonly site: Site;
  readonly by: "position" | "head";
  /** The layers of the rows of `effects`. */
  readonly layers: readonly number[];
  /** Its columns: positions from 0, or heads. */
  readonly columns: readonly number[];
  /** The metric on each prompt without patches. */
  readonly clean: number;
  readonly corrupted: number;
  /** By layer and column: the metric with the patch, less the metric without. */
  readonly effects: readonly (readonly number[])[];
  /** `effects / (clean − corrupted)`: 0 where a patch changes nothing, 1 where it alone brings all of the clean prompt's behaviour. */
  readonly recovered: readonly (readonly number[])[];
}

export const patchingFields: Signature = {
  clean: prompt,
  corrupted: prompt,
  metric: metricKind,
  site: optional(oneOf(siteNames)),
  by: optional(oneOf(["position", "head"])),
  layers: optional(wholeNumbers),
  positions: optional(wholeNumbers),
  heads: optional(wholeNumbers),
};

/** Patches as they were asked for, checked and with every default filled in. */
export interface Plan extends Required<Omit<PatchingOptions, "clean" | "corrupted">> {
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly columns: readonly number[];
  /** The axis of positions in the site's tensor. */
  readonly positionAxis: number;
  /** The axis of heads, for a site that has heads. */
  readonly headAxis: number | undefined;
}

/** @throws {LetheError} when the prompts differ in length, or the site has no such layers, positions or heads */
export async function planPatches(operation: string, model: Decoder, options: PatchingOptions): Promise<Plan> {
  const { by = "position", site = by === "head" ? "z" : "resid_pre", metric } = options;
  const refuse = (why: string) => {
    throw new LetheError(`${operation}: ${why}`);
  };
  const { inBlock, parameter, positionAxis = 1, headAxis } = sites[site];
  if (!inBlock || parameter || !model.hookPoints().some((point) => point.site === site))
    refuse(`${site} is no activation in the blocks of ${model.label}`);
  if (headAxis === undefined && (by === "head" || options.heads)) refuse(`${site} has no heads`);
  const [clean, corrupted] = (await sequencesOf(model, [options.clean, options.corrupted])) as [number[], number[]];
  const length = clean.length;
  if (corrupted.length !== length)
    refuse(
      `the clean prompt has ${length} tokens and the corrupted one ${corrupted.length}; activations are exchanged position by position, so the prompts must be equally long`,
    );
  const chosen = (name: string, given: readonly number[] | undefined, count: number, ends = false) => {
    const wanted = given?.map((one) => (ends && one < 0 ? one + count : one)) ?? [...Array(count).keys()];
    if (wanted.length === 0 || wanted.some((one, i) => one < 0 || one >= count || wanted.indexOf(one) !== i))
      refuse(`${name} is [${given}]; expected different ones from 0 to ${count - 1}`);
    return wanted;
  };
  const { num_hidden_layers: depth, num_attention_heads: queries, num_key_value_heads: keys } = model.config;
  const layers = chosen("layers", options.layers, depth);
  const positions = chosen("positions", options.positions, length, true);
  const heads = chosen("heads", options.heads, ["k", "rot_k", "v"].includes(site) ? keys : queries);
  const columns = by === "head" ? heads : positions;
  return { clean, corrupted, metric, site, by, layers, positions, heads, columns, positionAxis, headAxis };
}

/**
 * Says which rows of a site's tensor a patch exchanges.
 * @param shape `[1, T, …]` of one run's tensor; a row is what lies along its last axis
 */
export function patchedRows(
  { by, positions, heads, positionAxis, headAxis }: Plan,
  shape: Shape,
): (row: number, column: number) => boolean {
  const placeAt = (row: number, axis: number) => {
    const inner = shape.slice(axis + 1, -1).reduce((product, dim) => product * dim, 1);
    return Math.floor(row / inner) % shape[axis]!;
  };
  return (row, column) => {
    const position = placeAt(row, positionAxis);
    const head = headAxis === undefined ? undefined : placeAt(row, headAxis);
    if (by === "head") return head === column && positions.includes(position);
    return position === column && (head === undefined || heads.includes(head));
  };
}

/** @param effects layer after layer */
export function effectsOf(
  { site, by, layers, columns }: Plan,
  { clean, corrupted }: Pick<PatchingEffects, "clean" | "corrupted">,
  effects: readonly number[],
): PatchingEffects {
  const rows = layers.map((_, l) => effects.slice(l * columns.length, (l + 1) * columns.length));
  const recovered = rows.map((row) => row.map((effect) => effect / (clean - corrupted)));
  return { site, by, layers, columns, clean, corrupted, effects: rows, recovered };
}
