import { batchOf, type Decoder, usualTokens } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { concat, type F32, gatherRows, ops as kernels, requireMemory, reshape } from "@lethe/tensor";
import { atLeast, callable, checkedAsync, optional, options, unlessAborted } from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
import { metricRows, valuesOf } from "../metrics.ts";
import {
  effectsOf,
  type PatchingEffects,
  type PatchingOptions,
  type Plan,
  patchedRows,
  patchingFields,
  planPatches,
} from "./effects.ts";

export interface SweepOptions extends PatchingOptions {
  /** Patches that go through the layers as one batch. Default: as many as the adapter needs to be busy. */
  readonly together?: number;
  /** Called before each batch with the share of patches that is done. */
  readonly progress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Activation patching (Meng et al. 2022; Wang et al. 2022): runs the corrupted prompt again and again, each time with one activation of the
 * clean prompt's run in place of its own, and measures what that changes. By layer and position, or by layer and head.
 *
 * To see what the clean behaviour needs rather than what suffices for it, exchange the two prompts.
 *
 * Layers before the patch are the corrupted run's own, so a pass starts at the patched layer, and patches of a layer go through the later
 * layers side by side.
 * @throws {LetheError} when the prompts differ in length, or the site has no such layers, positions or heads
 * @throws {ModelUseError} for text without a tokenizer
 * @throws {OutOfMemoryError} when a batch of patches does not fit the device
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const patchingSweep = checkedAsync(
  "patchingSweep",
  {
    model: decoder,
    options: options({
      ...patchingFields,
      together: optional(atLeast(1)),
      progress: optional(callable),
      signal,
    }),
  },
  async (model: Decoder, options: SweepOptions): Promise<PatchingEffects> => {
    const { progress, signal } = options;
    const plan = await planPatches("patchingSweep", model, options);
    const { layers, columns, clean, corrupted, metric } = plan;
    const { device } = model;
    const together = options.together ?? Math.max(1, Math.floor(usualTokens(device) / clean.length));
    const most = Math.min(together, columns.length);
    const sizes = { tokens: most * clean.length, rows: most * metric.positions.length };
    requireMemory(device, `patching ${model.label}`, model.activationsToRun(sizes), "Take fewer patches together.");

    using source = new Captures("the clean run");
    using entering = new Captures("the corrupted run");
    const capture = {
      source: new Hooks().capture(plan.site, source, { layers }),
      entering: new Hooks().capture("resid_pre", entering, { layers }),
    };
    // One value for each patch, and those of the two runs without patches.
    using values = device.lasting([layers.length * columns.length + 2], "f32", "patched metrics");
    const put = (at: number, given: F32) => device.copyBytes(given, 0, values, 4 * at, given.bytes);
    {
      using _ = device.scope("runs without patches");
      put(0, runOnce(model, clean, plan, capture.source));
      put(1, runOnce(model, corrupted, plan, capture.entering));
    }
    for (const [l, layer] of layers.entries())
      for (let first = 0; first < columns.length; first += most) {
        const at = l * columns.length + first;
        progress?.(at / (layers.length * columns.length));
        await device.ready(signal);
        using _ = device.scope("patches");
        const part = columns.slice(first, first + most);
        put(2 + at, runPatched(model, plan, layer, part, source, entering));
      }
    const [cleanValue, corruptedValue, ...patched] = await unlessAborted(values.read(), signal);
    const runs = { clean: cleanValue!, corrupted: corruptedValue! };
    return effectsOf(
      plan,
      runs,
      patched.map((value) => value - runs.corrupted),
    );
  },
);

/** The metric `[1]` of a prompt. */
function runOnce(model: Decoder, tokens: readonly number[], { metric }: Plan, hooks: Hooks): F32 {
  const rows = metricRows(model, metric, [1, tokens.length]);
  return valuesOf(model.forward(batchOf(model.device, [tokens]), { rows, hooks }), metric, 1, kernels);
}

/** The metric `[C]` of the corrupted prompt with a patch of each of the columns. */
function runPatched(
  model: Decoder,
  plan: Plan,
  layer: number,
  columns: readonly number[],
  source: Captures,
  entering: Captures,
): F32 {
  const { device } = model;
  const count = columns.length;
  const copies = device.tensor(new Uint32Array(count), [count], "u32", "copies");
  const resid = gatherRows(entering.get("resid_pre", layer) as F32, copies);
  const patch = (x: F32) => patched(x, source.get(plan.site, layer) as F32, plan, columns);
  const hooks = new Hooks().edit(plan.site, patch, { layers: [layer] });
  const { corrupted, metric } = plan;
  const batch = batchOf(device, Array(count).fill(corrupted));
  const rows = metricRows(model, metric, [count, corrupted.length]);
  return valuesOf(model.forward(batch, { fromLayer: layer, resid, rows, hooks }), metric, count, kernels);
}

/** Copies of an activation `[C, …]`, each with the clean one's values `[1, …]` at its own column. All other values keep their bits. */
function patched(x: F32, clean: F32, plan: Plan, columns: readonly number[]): F32 {
  const width = x.shape.at(-1)!;
  const rowsOfOne = clean.size / width;
  const isPatched = patchedRows(plan, clean.shape);
  const own = columns.length * rowsOfOne;
  const rows = Uint32Array.from({ length: own }, (_, i) => {
    const row = i % rowsOfOne;
    return isPatched(row, columns[Math.floor(i / rowsOfOne)]!) ? own + row : i;
  });
  const both = concat(reshape(x, { shape: [own, width] }), reshape(clean, { shape: [rowsOfOne, width] }), { axis: 0 });
  return reshape(gatherRows(both, x.device.tensor(rows, [own], "u32", "patched rows")), { shape: x.shape });
}
