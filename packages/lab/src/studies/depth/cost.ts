import { answerTokens, patchStreams, recordStreams, sweepCentres } from "@lethe/unlearn";
import { type Rehearsed, ratesOfQuestions, sparserStride } from "../layers.ts";
import { type Line, lineThrough } from "../line.ts";
import type { Rehearsal, StudyCost } from "../study.ts";
import type { DepthOptions } from "./schema.ts";

/** What the patches and the logit lens cost. The rates are seconds of one patch by the layers after it, for one token of the questions. */
export const depthCost: StudyCost<DepthOptions, Line> = {
  rehearse: (rehearsal) => ratesOfQuestions(rehearsal, (rehearsed) => timePatches(rehearsal, rehearsed)),
  seconds({ fixed, each }, { layerStride, otherQuestions }, { depth, questions, tokens }) {
    const layers = sweepCentres(depth, layerStride);
    const after = layers.reduce((sum, layer) => sum + depth - 1 - layer, 0);
    const all = (questions + otherQuestions) * tokens;
    return {
      // The subject is run once, and read after every layer as a patch is.
      "reading through the logit lens": all * depth * (each + fixed),
      "patching the residual stream": all * (layers.length * fixed + after * each),
    };
  },
  shorter(options, { depth }) {
    const layerStride = sparserStride(options.layerStride, depth);
    return layerStride === null ? null : { ...options, layerStride };
  },
  describe: ({ layerStride }) => `a layer stride of ${layerStride}`,
};

/** Measures a patch after the first layer and one after the last. */
async function timePatches(
  { vanilla, copy, signal }: Rehearsal,
  { questions, tokens }: Rehearsed,
): Promise<{ readonly seconds: number; readonly rates: Line }> {
  const depth = vanilla.config.num_hidden_layers;
  using answers = answerTokens(vanilla.device, questions);
  using own = recordStreams(vanilla, answers);
  using source = recordStreams(copy, answers);
  const patch = async (stride: number) => {
    const startedAt = performance.now();
    await patchStreams({ vanilla, answers, own, source, stride, signal });
    return (performance.now() - startedAt) / 1000;
  };
  await patch(depth);
  const first = await patch(depth);
  // Both patches of a stride that leads from the first layer to the last; after the last one nothing is run.
  const last = Math.max(0, (await patch(depth - 1)) - first);
  const { fixed, each } = lineThrough([0, last], [depth - 1, first]);
  return { seconds: first, rates: { fixed: fixed / tokens, each: each / tokens } };
}
