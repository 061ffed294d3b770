import { batchOf, type Decoder } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { type F32, ops as kernels, mul, sub, sum } from "@lethe/tensor";
import { checkedAsync, options } from "@lethe/tensor/checked";
import { activationGradients } from "../activation-gradients.ts";
import { decoder } from "../kinds.ts";
import { metricRows, valuesOf } from "../metrics.ts";
import {
  effectsOf,
  type PatchingEffects,
  type PatchingOptions,
  patchedRows,
  patchingFields,
  planPatches,
} from "./effects.ts";

/**
 * Attribution patching (Nanda 2023; Syed et al. 2023): estimates all effects of {@link patchingSweep} at once, by the metric's gradient
 * in the corrupted run: (clean − corrupted) · ∂metric/∂activation, summed over what a patch would exchange. It takes two passes forward
 * and one back. It is exact to first order: where an activation changes much, as at the first layers, or where attention saturates, it can be far from
 * the effect of the patch itself.
 * @throws {LetheError} when the prompts differ in length, the site has no such layers, positions or heads, or the metric does not
 *   depend on the site
 * @throws {ModelUseError} for text without a tokenizer
 * @function
 */
export const attributionPatching = checkedAsync(
  "attributionPatching",
  { model: decoder, options: options(patchingFields) },
  async (model: Decoder, options: PatchingOptions): Promise<PatchingEffects> => {
    const plan = await planPatches("attributionPatching", model, options);
    const { site, layers, metric, clean, corrupted } = plan;
    const { device } = model;
    using at = await activationGradients(model, corrupted, { metric, points: site, layers });
    using source = new Captures("the clean run");
    using value = device.scoped("clean run", () => {
      const hooks = new Hooks().capture(site, source, { layers });
      const rows = metricRows(model, metric, [1, clean.length]);
      return valuesOf(model.forward(batchOf(device, [clean]), { rows, hooks }), metric, 1, kernels);
    });
    const first = source.get(site, layers[0]!);
    const rows = first.size / first.shape.at(-1)!;
    using scores = device.lasting([layers.length * rows], "f32", "attribution scores");
    for (const [l, layer] of layers.entries()) {
      using _ = device.scope("attribution");
      const [before, after] = [at.activations, source].map((captures) => captures.get(site, layer) as F32);
      const products: F32 = mul(sub(after!, before!) as F32, at.gradients.get(site, layer) as F32);
      const ofRows = sum(products, { axis: products.shape.length - 1 });
      device.copyBytes(ofRows, 0, scores, l * ofRows.bytes, ofRows.bytes);
    }
    const [cleanValue, ofRows] = await Promise.all([value.item(), scores.read()]);
    const isPatched = patchedRows(plan, first.shape);
    const effects = layers.flatMap((_, l) =>
      plan.columns.map((column) => {
        let total = 0;
        for (let row = 0; row < rows; row++) if (isPatched(row, column)) total += ofRows[l * rows + row]!;
        return total;
      }),
    );
    return effectsOf(plan, { clean: cleanValue, corrupted: at.value }, effects);
  },
);
