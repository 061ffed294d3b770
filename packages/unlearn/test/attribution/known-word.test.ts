import { initLlama } from "@lethe/llama";
import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { type AttributedQuestion, attentionMass, gradientTimesInput, integratedGradients } from "../../src/index.ts";

const device = await testDevice();
const WIDTH = 16;
/** The token that the answer depends on, and the answer. Tokens from 4 on say nothing. */
const [KEY, ANSWER] = [2, 3];
const VOCABULARY = 40;

/**
 * One layer and one head, whose weights are 0 but for this circuit: the key token's flag is in feature 0, every query looks for it (feature 7 of
 * queries and keys, which rotate slowest), and the value carries it to feature 2, from which the answer's logit is read. An ε of 1 keeps the norms
 * from making embeddings all of one length.
 */
function knowingModel() {
  const model = initLlama(
    device,
    {
      vocab_size: VOCABULARY,
      hidden_size: WIDTH,
      intermediate_size: 4,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      num_key_value_heads: 1,
      rms_norm_eps: 1,
      rope_theta: 1e8,
    },
    0,
  );
  const put = (name: string, valueAt: (row: number, column: number) => number) => {
    const weight = model.weights.get(name)!;
    const columns = weight.shape.at(-1)!;
    const values = Float32Array.from({ length: weight.size }, (_, i) => valueAt(Math.floor(i / columns), i % columns));
    device.writeBytes(weight, 0, new Uint8Array(values.buffer));
  };
  const only = (row: number, column: number, value: number) => (r: number, c: number) =>
    r === row && c === column ? value : 0;
  const noise = normal(VOCABULARY * WIDTH, 0.3);
  put("model.embed_tokens.weight", (token, feature) => {
    if (feature === 0) return token === KEY ? 3 : 0;
    if (feature === 1) return 1;
    return feature === 2 ? 0 : noise[token * WIDTH + feature]!;
  });
  put("model.layers.0.self_attn.q_proj.weight", only(7, 1, 3));
  put("model.layers.0.self_attn.k_proj.weight", only(7, 0, 2));
  put("model.layers.0.self_attn.v_proj.weight", only(0, 0, 1));
  put("model.layers.0.self_attn.o_proj.weight", only(2, 0, 1));
  put("model.layers.0.mlp.down_proj.weight", () => 0);
  put("lm_head.weight", only(ANSWER, 2, 4));
  return model;
}

/** Words of one or two tokens that say nothing, and the key token in one of them. */
function questionWithKey(words: number, answer: readonly number[]): { question: AttributedQuestion; key: number } {
  const silent = () => integer(4, VOCABULARY - 1);
  const key = integer(0, words - 1);
  const tokens = [silent(), silent()];
  const own = Array.from({ length: words }, (_, word) => {
    const parts = Array.from({ length: integer(1, 2) }, silent);
    if (word === key) parts[integer(0, parts.length - 1)] = KEY;
    const places = parts.map((_, i) => tokens.length + i);
    tokens.push(...parts);
    return { text: `${word}`, tokens: places };
  });
  tokens.push(silent());
  return { question: { asked: { question: "?", tokens, words: own }, answer }, key };
}

test("the one word that the answer depends on has the largest score, and by the gradient the only one", async () => {
  using model = knowingModel();
  const cases = [questionWithKey(7, [ANSWER]), questionWithKey(4, [ANSWER, ANSWER]), questionWithKey(9, [ANSWER])];
  const questions = cases.map(({ question }) => question);
  const found = {
    gradient: await gradientTimesInput(model, questions),
    integrated: await integratedGradients(model, questions),
    attention: await attentionMass(model, questions),
  };
  for (const [i, { key }] of cases.entries()) {
    for (const scores of Object.values(found)) {
      const rest = scores[i]!.toSpliced(key, 1);
      expect(scores[i]![key]).toBeGreaterThan(0.1);
      for (const other of rest) expect(other).toBeLessThan(scores[i]![key]! / 4);
    }
    for (const other of found.gradient[i]!.toSpliced(key, 1)) expect(Math.abs(other)).toBeLessThan(1e-6);
    for (const other of found.integrated[i]!.toSpliced(key, 1)) expect(Math.abs(other)).toBeLessThan(1e-6);
  }
});
