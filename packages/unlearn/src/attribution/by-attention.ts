import type { Decoder } from "@lethe/decoder";
import { Hooks } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import { checkedAsync, options } from "@lethe/tensor/checked";
import type { AnswerTokens } from "../depth/answer-tokens.ts";
import { decoder } from "../kinds.ts";
import { type AttributedQuestion, attributedQuestions } from "./questions.ts";
import { runOnce, type WordScoreOptions, wordScoreOptions, wordScores } from "./word-scores.ts";

/**
 * Attention mass: how much attention the rows that predict the answer pay to a word's tokens, as the mean over these rows, all heads and all
 * layers. The weights of a row sum to 1 over all tokens that it sees, those of the template and of the answer included, so the scores of a
 * question's words sum to less. It says where the model looks, and not whether what it finds there speaks for the answer (Jain & Wallace
 * 2019).
 *
 * A layer's pattern is summed up before the next one is computed.
 * @returns for each question a score for each of its words, from 0 to 1
 * @throws {LetheError} when a question cannot be attributed, or a score is not finite
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const attentionMass = checkedAsync(
  "attentionMass",
  { model: decoder, questions: attributedQuestions, options: options(wordScoreOptions) },
  (model: Decoder, questions: readonly AttributedQuestion[], options: WordScoreOptions = {}): Promise<number[][]> =>
    wordScores(
      model,
      { operation: "attentionMass", questions, runs: runOnce(questions), score: (answers) => massOn(model, answers) },
      options,
    ),
);

/** The mean weight that the rows which predict answers give to each token, `[B, 1, T]`. */
function massOn(model: Decoder, { questions: { batch }, places, counts }: AnswerTokens): F32 {
  const { device, config } = model;
  const { num_hidden_layers: layers, num_attention_heads: heads } = config;
  const [sequences, columns] = batch.ids.shape;
  // How much each row of a layer's pattern counts. Rows that predict no token of an answer do not.
  const shares = new Float32Array(sequences * heads * columns);
  for (const row of places) {
    const [sequence, column] = [Math.floor(row / columns), row % columns];
    for (let head = 0; head < heads; head++)
      shares[(sequence * heads + head) * columns + column] = 1 / (layers * heads * counts[sequence]!);
  }
  const rows = device.tensor(shares, [sequences, 1, heads * columns], "f32", "shares of rows");
  const mass = device.tensor(new Float32Array(sequences * columns), [sequences, 1, columns], "f32", "attention mass");
  // This edit changes nothing.
  const hooks = new Hooks().edit("pattern", (pattern, { ops }) => {
    const flat = ops.reshape(pattern, { shape: [sequences, heads * columns, columns] });
    ops.addInto(mass, ops.matmul(rows, flat) as F32);
    return pattern;
  });
  model.forward(batch, { hooks, upTo: "resid" });
  return mass;
}
