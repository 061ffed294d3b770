import type { Decoder } from "@lethe/decoder";
import { cast, type Device, type F32, mse, sub, sumOfSquaresInto, type Weight } from "@lethe/tensor";
import { z } from "zod";
import type { KnownAnswers } from "./subject.ts";
import type { Vanilla } from "./vanilla/vanilla.ts";
import { vanillaRun } from "./vanilla-run.ts";

const norm = z.number().min(0);

/** How far a model is from the vanilla model, in its logits and in its weights. */
export const changeRecord = z.strictObject({
  /** loss*: mean squared difference of the logits on the rows that predict the vanilla answers, the mean over the target questions. */
  loss: z.number().min(0),
  /**
   * By Hugging Face's name, Frobenius norms of the difference and of the vanilla weight. A weight with two names is there once. Names are in
   * alphabetical order.
   */
  weights: z
    .record(z.string(), z.strictObject({ change: norm, vanilla: norm }))
    .overwrite((weights) => Object.fromEntries(Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1)))),
});
export type Change = z.infer<typeof changeRecord>;

/** What {@link measureChange} compares with. */
interface Compared {
  readonly vanilla: Vanilla;
  readonly known: KnownAnswers;
  readonly signal: AbortSignal;
}

/** Measures how far a model is from the vanilla model. */
export async function measureChange(model: Decoder, { vanilla, known, signal }: Compared): Promise<Change> {
  const loss = await answerLoss(model, { vanilla, known, signal });
  const names = [...vanilla.weights.keys()];
  const wide = (weight: Weight) => cast(weight, { dtype: "f32" });
  async function* pairs() {
    for (const name of names) {
      using weight = await vanilla.weight(name, { signal });
      yield () => wide(weight);
      yield () => sub(wide(model.weights.get(name)!), wide(weight));
    }
  }
  const norms = await readNorms(vanilla.device, pairs(), 2 * names.length, signal);
  const weights = names.map((name, i) => [name, { change: norms[2 * i + 1]!, vanilla: norms[2 * i]! }] as const);
  return { loss, weights: Object.fromEntries(weights) };
}

/**
 * loss*: the mean over the target questions of the mean squared difference of a model's logits from the vanilla model's, on the rows that
 * predict the vanilla answers. The restoration study's `base.paper` in the mean.
 */
export async function answerLoss(model: Decoder, { vanilla, known, signal }: Compared): Promise<number> {
  const { questions, run } = await vanillaRun(vanilla, known, { settings: [], signal });
  const { device } = model;
  const differences = device.scoped("answer losses", () =>
    mse(run.logits, model.forward(questions.batch, { rows: questions.rows }), { reduction: "rows" }),
  );
  const reading = differences.read();
  differences.dispose();
  const losses = questions.perQuestion(await reading, "paper");
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/**
 * Frobenius norms of tensors that are made one after another, each in a scope of its own, and read at once.
 * @param count of the tensors
 * @throws the signal's reason when it is aborted
 */
export async function readNorms(
  device: Device,
  tensors: Iterable<() => F32> | AsyncIterable<() => F32>,
  count: number,
  signal: AbortSignal,
): Promise<number[]> {
  using sums = device.lasting([count], "f32", "squared norms");
  let i = 0;
  for await (const make of tensors) {
    await device.ready(signal);
    using _ = device.scope("norm of a tensor");
    sumOfSquaresInto(sums, i++, make());
  }
  return Array.from(await sums.read(), Math.sqrt);
}
