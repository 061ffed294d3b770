import type { Decoder } from "@lethe/decoder";
import { cast, type Device, type F32, mse, sub, sumOfSquaresInto } from "@lethe/tensor";
import { z } from "zod";
import { weightsOf } from "./kept-training.ts";
import type { KnownAnswers } from "./subject.ts";
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
  readonly vanilla: Decoder;
  readonly known: KnownAnswers;
  readonly signal: AbortSignal;
}

/** Measures how far a model is from the vanilla model. */
export async function measureChange(model: Decoder, { vanilla, known, signal }: Compared): Promise<Change> {
  const loss = await answerLoss(model, vanilla, known);
  const pairs = Array.from(weightsOf(vanilla), ([name, weight]) => [name, weight, model.weights.get(name)!] as const);
  const norms = await readNorms(
    vanilla.device,
    pairs.flatMap(([, weight, other]) => {
      const before = () => cast(weight, { dtype: "f32" });
      return [before, () => sub(cast(other, { dtype: "f32" }), before())];
    }),
    signal,
  );
  const weights = pairs.map(([name], i) => [name, { change: norms[2 * i + 1]!, vanilla: norms[2 * i]! }] as const);
  return { loss, weights: Object.fromEntries(weights) };
}

/**
 * loss*: the mean over the target questions of the mean squared difference of a model's logits from the vanilla model's, on the rows that
 * predict the vanilla answers. The restoration study's `base.paper` in the mean.
 */
export async function answerLoss(model: Decoder, vanilla: Decoder, known: KnownAnswers): Promise<number> {
  const { questions, run } = vanillaRun(vanilla, known, []);
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
 * @throws the signal's reason when it is aborted
 */
export async function readNorms(
  device: Device,
  tensors: readonly (() => F32)[],
  signal: AbortSignal,
): Promise<number[]> {
  using sums = device.lasting([tensors.length], "f32", "squared norms");
  for (const [i, make] of tensors.entries()) {
    await device.ready(signal);
    using _ = device.scope("norm of a tensor");
    sumOfSquaresInto(sums, i, make());
  }
  return Array.from(await sums.read(), Math.sqrt);
}
