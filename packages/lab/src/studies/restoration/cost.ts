import {
  settings as everySetting,
  questionBatch,
  runVanilla,
  sweepCentres,
  sweepRestoration,
  windowAround,
} from "@lethe/unlearn";
import { type Rehearsed, ratesOfQuestions, sparserStride } from "../layers.ts";
import { type Line, lineThrough } from "../line.ts";
import type { Rehearsal, StudyCost } from "../study.ts";
import type { RestorationOptions } from "./schema.ts";

/** What restoring costs. The rates are seconds of one window and setting by its layers, for one token of the questions. */
export const restorationCost: StudyCost<RestorationOptions, Line> = {
  rehearse: (rehearsal, options) =>
    ratesOfQuestions(rehearsal, (rehearsed) => timeWindows(rehearsal, options, rehearsed)),
  seconds({ fixed, each }, { settings, windowRadius, windowStride }, { depth, questions, tokens }) {
    const centres = sweepCentres(depth, windowStride);
    const layers = centres.reduce((sum, centre) => sum + depth - windowAround(centre, windowRadius, depth)[0]!, 0);
    const windows = questions * tokens * (centres.length * fixed + layers * each);
    return Object.fromEntries(settings.map((setting) => [`restoring ${setting}`, windows]));
  },
  shorter(options, { depth }) {
    const windowStride = sparserStride(options.windowStride, depth);
    return windowStride === null ? null : { ...options, windowStride };
  },
  describe: ({ windowStride }) => `a window stride of ${windowStride}`,
};

/** Measures a window around the first layer and one around the last. */
async function timeWindows(
  { vanilla, copy, signal }: Rehearsal,
  { settings: names, windowRadius: radius }: RestorationOptions,
  rehearsed: Rehearsed,
): Promise<{ readonly seconds: number; readonly rates: Line }> {
  // Settings cost about the same, so one stands for all: the last, which may restore most. An isolated one leaves out much of the later layers.
  const chosen = everySetting.filter(({ name }) => names.includes(name));
  const settings = [chosen.findLast(({ isolated }) => !isolated) ?? chosen.at(-1)!];
  const depth = vanilla.config.num_hidden_layers;
  using questions = questionBatch(vanilla.device, rehearsed.questions);
  using run = runVanilla(vanilla, questions, settings);
  const sweep = async (stride: number) => {
    let since = 0;
    const progress = (share: number) => {
      if (share === 0) since = performance.now();
    };
    await sweepRestoration({ unlearned: copy, questions, run, radius, stride, settings, progress, signal });
    return (performance.now() - since) / 1000;
  };
  await sweep(depth);
  const first = await sweep(depth);
  // Both windows of a stride that leads from the first layer to the last; the second one's pass is short.
  const last = Math.max(0, (await sweep(depth - 1)) - first);
  const layers = Math.min(depth, 1 + radius);
  const { fixed, each } = lineThrough([layers, last], [depth, first]);
  const { tokens } = rehearsed;
  return { seconds: first, rates: { fixed: fixed / tokens, each: each / tokens } };
}
