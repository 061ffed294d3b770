import { batchOf } from "@lethe/decoder";
import { initLlama } from "@lethe/llama";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { afterAll, expect, test } from "vitest";
import { type AttributeOptions, attribute } from "../../src/index.ts";

const device = await testDevice();
const [ANSWER, KEY, RIVAL] = [0, 1, 2];
const VOCABULARY = 8;

/**
 * A model of one layer with weights set by hand. Every token looks for KEY and, twice as hard, for RIVAL. KEY writes "the answer" into
 * the stream, RIVAL "not the answer", and all other tokens nothing.
 */
function model() {
  const width = 8;
  const made = initLlama(
    device,
    {
      vocab_size: VOCABULARY,
      hidden_size: width,
      intermediate_size: 4,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      num_key_value_heads: 1,
      head_dim: 4,
      rms_norm_eps: 1e-12,
      // The second pair of a head's elements turns by a millionth a position.
      rope_theta: 1e12,
    },
    0,
  );
  const set = (name: string, entries: readonly (readonly [row: number, column: number, value: number])[]) => {
    const weight = made.weights.get(name)!;
    const values = new Float32Array(weight.size);
    for (const [row, column, value] of entries) values[row * weight.shape[1]! + column] = value;
    device.writeBytes(weight, 0, new Uint8Array(values.buffer));
  };
  const tokens = Array.from({ length: VOCABULARY }, (_, token) => [token, 0, 1] as const);
  set("model.embed_tokens.weight", [...tokens, [KEY, 1, 1], [RIVAL, 2, 1]]);
  const attention = "model.layers.0.self_attn";
  set(`${attention}.q_proj.weight`, [[1, 0, 20]]);
  set(`${attention}.k_proj.weight`, [
    [1, 1, 1],
    [1, 2, 2],
  ]);
  set(`${attention}.v_proj.weight`, [
    [0, 1, 1],
    [0, 2, -1],
  ]);
  set(`${attention}.o_proj.weight`, [[3, 0, 1]]);
  set("model.layers.0.mlp.down_proj.weight", []);
  set("lm_head.weight", [[ANSWER, 3, 1]]);
  // It makes its rotary table in its first run and keeps it.
  using _ = device.scope("warm-up");
  made.forward(batchOf(device, [[1]]));
  return made;
}

const known = model();
afterAll(() => known.dispose());

/**
 * The log-probability of each answer token. The norm gives KEY and RIVAL a 2 in their elements. So a token that sees one of them has 1 and
 * ±2 in its stream, of which the norm makes ±2 / √(5/8).
 * @param seen 1 for KEY, −1 for RIVAL, 0 for neither
 */
function logProb(seen: -1 | 0 | 1): number {
  const logit = (seen * 2) / Math.sqrt(5 / 8);
  return logit - Math.log(Math.exp(logit) + VOCABULARY - 1);
}

/** The contributions of all tokens but the first and the last, each a word, to an answer of three tokens. */
async function attributed(tokens: readonly number[], options?: AttributeOptions) {
  const words = tokens.slice(1, -1).map((token, i) => ({ text: `${token}`, tokens: [i + 1] }));
  const question = { asked: { question: "which?", tokens, words }, answer: [ANSWER, ANSWER, ANSWER] };
  const [attribution] = await attribute(known, [question], options);
  return attribution!;
}

test("the word on which the answer depends has all the contribution, and the others have none", async () => {
  for (const prompt of [
    [3, KEY, 4, 5, 6],
    [3, 4, 5, KEY, 6],
  ]) {
    const { logProb: whole, contributions } = await attributed(prompt);
    expectClose([whole], [logProb(1)]);
    const wanted = prompt.slice(1, -1).map((token) => (token === KEY ? logProb(1) - logProb(0) : 0));
    expectClose(contributions, wanted);
  }
});

test("a word that opposes the answer contributes less than nothing, and the one that it hides nothing", async () => {
  const { logProb: whole, contributions } = await attributed([3, KEY, 4, RIVAL, 5]);
  expectClose([whole], [logProb(-1)]);
  expectClose(contributions, [0, 0, logProb(-1) - logProb(1)]);
  expect(contributions[2]).toBeLessThan(-3);
});

test("a word that stands twice has no contribution: without one of the two, the other still gives the answer", async () => {
  const { logProb: whole, contributions } = await attributed([3, KEY, 4, KEY, 5]);
  expectClose([whole], [logProb(1)]);
  expectClose(contributions, [0, 0, 0]);
});

test("a mask without meaning takes a word away as its deletion does; one with meaning puts it in", async () => {
  const prompt = [3, 4, KEY, 5];
  const masked = await attributed(prompt, { perturbation: "mask", maskToken: 7 });
  expectClose(masked.contributions, (await attributed(prompt)).contributions);
  const opposed = await attributed(prompt, { perturbation: "mask", maskToken: RIVAL });
  const lost = logProb(1) - logProb(-1);
  expectClose(opposed.contributions, [lost, lost]);
});
