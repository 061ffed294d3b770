import { checked, numbers } from "@lethe/tensor/checked";
import { MetricError } from "./metric-error.ts";

/** The Knowledge Recovery Score of one set of questions, in the two aggregations in use. */
export interface Krs {
  /** 1 − mean_q(restored) / mean_q(base): the paper's formula. */
  readonly ratioOfMeans: number;
  /** mean_q(1 − restored(q) / base(q)): what the released notebooks average. */
  readonly meanOfRatios: number;
}

/**
 * The Knowledge Recovery Score, 1 − loss_o* / loss* (Hong et al. 2024, arXiv 2410.06606, Section 3). A question's loss is the mean,
 * over its answer positions and the vocabulary, of the squared difference between a model's logits and the vanilla model's.
 * 1 is full recovery, 0 none; below 0 the restoration moved the model further away.
 *
 * The two aggregations differ when questions differ in how much was lost: in `ratioOfMeans` a question weighs as much as its base
 * loss, in `meanOfRatios` all weigh the same, also one that had hardly anything to recover.
 *
 * @param base per-question losses of the unlearned model (loss*)
 * @param restored per-question losses of the unlearned model with a component restored (loss_o*), the same questions in the same order
 * @throws MetricError when the lists are empty or differ in length, when a loss is negative or not finite, or when a base loss is 0
 * @function
 */
export const krs = checked(
  "krs",
  { base: numbers, restored: numbers },
  (base: readonly number[], restored: readonly number[]): Krs => {
    if (base.length === 0) throw new MetricError("KRS of no questions: at least one per-question loss is needed.");
    if (base.length !== restored.length) {
      throw new MetricError(
        `KRS needs one loss per question on both sides: got ${base.length} of the unlearned and ${restored.length} of the restored model.`,
      );
    }
    let baseSum = 0;
    let restoredSum = 0;
    let ratioSum = 0;
    for (const [question, baseLoss] of base.entries()) {
      const restoredLoss = restored[question]!;
      checkLoss("unlearned", question, baseLoss);
      checkLoss("restored", question, restoredLoss);
      if (baseLoss === 0) {
        throw new MetricError(
          `KRS is undefined for question ${question}: the unlearned model's logits equal the vanilla model's (loss 0), so there is ` +
            "nothing to recover. Was the model changed at all?",
        );
      }
      baseSum += baseLoss;
      restoredSum += restoredLoss;
      ratioSum += restoredLoss / baseLoss;
    }
    return { ratioOfMeans: 1 - restoredSum / baseSum, meanOfRatios: 1 - ratioSum / base.length };
  },
);

function checkLoss(model: string, question: number, loss: number): void {
  if (!Number.isFinite(loss) || loss < 0) {
    throw new MetricError(
      `The ${model} model's loss on question ${question} is ${loss}; a mean squared difference of logits is finite and at least 0. ` +
        "Look for non-finite logits in that model.",
    );
  }
}
