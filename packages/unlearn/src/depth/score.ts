import { LetheError } from "@lethe/tensor";
import { checked, list, notNegative, optional } from "@lethe/tensor/checked";

/** A layer counts for a question when a model that never learned the answer loses more log-probability there, in nats. */
export const DEPTH_THRESHOLD = 0.05;

/** How much of what a model that never learned the answers lacks, an unlearned model lacks too. */
export interface DepthScore {
  /** From 0, as if nothing was unlearned, to 1, as if never learned. Null where no layer counts. */
  readonly perQuestion: (number | null)[];
  /** The mean over the questions that have a score; null where none has. */
  readonly mean: number | null;
}

/**
 * The unlearning depth score (arXiv 2605.24614). For each question, over the layers with Δ₁ above the threshold:
 * Σ Δ₁ · clip(Δ₂ / Δ₁, 0, 1) / Σ Δ₁.
 * @param never Δ₁ by layer and question: what the answer loses when the stream is that of a model that never learned it
 * @param subject Δ₂, the same for the unlearned model
 * @throws {LetheError} when the two differ in layers or questions
 * @function
 */
export const unlearningDepth = checked(
  "unlearningDepth",
  { never: list, subject: list, threshold: optional(notNegative) },
  (
    never: readonly (readonly number[])[],
    subject: readonly (readonly number[])[],
    threshold = DEPTH_THRESHOLD,
  ): DepthScore => {
    const questions = never[0]?.length ?? 0;
    const sizeOf = (drops: readonly (readonly number[])[]) => drops.map((layer) => layer.length).join();
    if (sizeOf(never) !== sizeOf(subject))
      throw new LetheError(
        `unlearningDepth: never has ${never.length} layers of ${questions} questions and subject has ${subject.length} of ${subject[0]?.length ?? 0}; both must be measured on the same`,
      );
    const perQuestion = Array.from({ length: questions }, (_, question) => {
      let [lost, wanted] = [0, 0];
      for (const [layer, drops] of never.entries()) {
        const drop = drops[question]!;
        if (drop <= threshold) continue;
        wanted += drop;
        lost += Math.min(Math.max(subject[layer]![question]!, 0), drop);
      }
      return wanted > 0 ? lost / wanted : null;
    });
    const scored = perQuestion.filter((score) => score !== null);
    return {
      perQuestion,
      mean: scored.length > 0 ? scored.reduce((sum, score) => sum + score, 0) / scored.length : null,
    };
  },
);
