import {
  settings as everySetting,
  questionBatch,
  runVanilla,
  sweepCentres,
  sweepRestoration,
  windowAround,
} from "@lethe/unlearn";
import { type Line, LONG, lineThrough } from "../line.ts";
import type { Rehearsal, StudyCost } from "../study.ts";
import type { RestorationOptions } from "./schema.ts";

/** Centres that a sweep keeps at least, so that a curve is seen. */
const LEAST_CENTRES = 8;

/** Questions whose windows are measured first, to see how long they take. */
const FEW = 2;

/** What restoring costs. The rates are seconds of one window and setting by its layers, for one token of the questions. */
export const restorationCost: StudyCost<RestorationOptions, Line> = {
  async rehearse(rehearsal, options) {
    const all = rehearsal.prompts.length;
    const quick = await timeWindows(rehearsal, options, Math.min(FEW, all));
    return quick.seconds > LONG ? quick.rates : (await timeWindows(rehearsal, options, all)).rates;
  },
  seconds({ fixed, each }, { settings, windowRadius, windowStride }, { depth, questions, tokens }) {
    const centres = sweepCentres(depth, windowStride);
    const layers = centres.reduce((sum, centre) => sum + depth - windowAround(centre, windowRadius, depth)[0]!, 0);
    const windows = questions * tokens * (centres.length * fixed + layers * each);
    return Object.fromEntries(settings.map((setting) => [`restoring ${setting}`, windows]));
  },
  shorter(options, { depth }) {
    const windowStride = options.windowStride + 1;
    return sweepCentres(depth, windowStride).length >= LEAST_CENTRES ? { ...options, windowStride } : null;
  },
  describe: ({ windowStride }) => `a window stride of ${windowStride}`,
};

/** Measures a window around the first layer and one around the last. */
async function timeWindows(
  { vanilla, copy, prompts, answerTokens, signal }: Rehearsal,
  { settings: names, windowRadius: radius }: RestorationOptions,
  count: number,
): Promise<{ readonly seconds: number; readonly rates: Line }> {
  // Settings cost about the same, so one stands for all: the last, which may restore most. An isolated one leaves out much of the later layers.
  const chosen = everySetting.filter(({ name }) => names.includes(name));
  const settings = [chosen.findLast(({ isolated }) => !isolated) ?? chosen.at(-1)!];
  const depth = vanilla.config.num_hidden_layers;
  const asked = prompts.slice(0, count);
  const answer = Array.from({ length: answerTokens }, (_, i) => asked[0]![i % asked[0]!.length]!);
  using questions = questionBatch(
    vanilla.device,
    asked.map((prompt) => ({ prompt, answer })),
  );
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
  const tokens = count * (Math.max(...asked.map(({ length }) => length)) + answer.length);
  return { seconds: first, rates: { fixed: fixed / tokens, each: each / tokens } };
}
