import { answerTokens, patchStreams, recordStreams, sweepCentres } from "@lethe/unlearn";
import { type Line, LONG, lineThrough } from "../line.ts";
import type { Rehearsal, StudyCost } from "../study.ts";
import type { DepthOptions } from "./schema.ts";

/** Layers that stay patched at least, so that a curve is seen. */
const LEAST_LAYERS = 8;

/** Questions whose patches are measured first, to see how long they take. */
const FEW = 2;

/** What the patches and the logit lens cost. The rates are seconds of one patch by the layers after it, for one token of the questions. */
export const depthCost: StudyCost<DepthOptions, Line> = {
  async rehearse(rehearsal) {
    const all = rehearsal.prompts.length;
    const quick = await timePatches(rehearsal, Math.min(FEW, all));
    return quick.seconds > LONG ? quick.rates : (await timePatches(rehearsal, all)).rates;
  },
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
    const layerStride = options.layerStride + 1;
    return sweepCentres(depth, layerStride).length >= LEAST_LAYERS ? { ...options, layerStride } : null;
  },
  describe: ({ layerStride }) => `a layer stride of ${layerStride}`,
};

/** Measures a patch after the first layer and one after the last. */
async function timePatches(
  { vanilla, copy, prompts, answerTokens: length, signal }: Rehearsal,
  count: number,
): Promise<{ readonly seconds: number; readonly rates: Line }> {
  const depth = vanilla.config.num_hidden_layers;
  const asked = prompts.slice(0, count);
  const answer = Array.from({ length }, (_, i) => asked[0]![i % asked[0]!.length]!);
  using answers = answerTokens(
    vanilla.device,
    asked.map((prompt) => ({ prompt, answer })),
  );
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
  const tokens = count * (Math.max(...asked.map((prompt) => prompt.length)) + answer.length);
  return { seconds: first, rates: { fixed: fixed / tokens, each: each / tokens } };
}
