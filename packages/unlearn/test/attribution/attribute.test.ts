import { batchOf, type Decoder } from "@lethe/decoder";
import { initLlama } from "@lethe/llama";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type AttributedQuestion, type AttributeOptions, attribute } from "../../src/index.ts";

const device = await testDevice();
// Two query heads to a key head.
const model = warmLlama(device, 1);
afterAll(() => model.dispose());

const tokens = (count: number) => Array.from({ length: count }, () => integer(2, 52));

/** A question of words of one to three tokens between the tokens of a template. */
function questionOf(before: number, words: number, after: number, answer: number): AttributedQuestion {
  let end = before;
  const own = Array.from({ length: words }, (_, i) => {
    const size = integer(1, 3);
    end += size;
    return { text: `word ${i}`, tokens: Array.from({ length: size }, (_, j) => end - size + j) };
  });
  return { asked: { question: "what?", tokens: tokens(end + after), words: own }, answer: tokens(answer) };
}

/** The mean log-probability of an answer in one pass over one sequence, in float64 from its logits. */
async function plainLogProb(model: Decoder, prompt: readonly number[], answer: readonly number[]): Promise<number> {
  using batch = batchOf(device, [[...prompt, ...answer]]);
  using logits = model.forward(batch);
  const values = await logits.read();
  const width = model.config.vocab_size;
  const each = answer.map((label, i) => {
    const row = values.subarray((prompt.length + i - 1) * width, (prompt.length + i) * width);
    const largest = row.reduce((a, b) => Math.max(a, b));
    return row[label]! - largest - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  });
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

/** What `attribute` computes, with one plain pass for each log-probability. */
async function plainly(model: Decoder, questions: readonly AttributedQuestion[], mask?: number) {
  const results = [];
  for (const { asked, answer } of questions) {
    const logProb = await plainLogProb(model, asked.tokens, answer);
    const contributions = [];
    for (const word of asked.words) {
      const kept = asked.tokens.map((token, place) => (word.tokens.includes(place) ? mask : token));
      const prompt = kept.filter((token) => token !== undefined);
      contributions.push(logProb - (await plainLogProb(model, prompt, answer)));
    }
    results.push({ logProb, contributions });
  }
  return results;
}

async function expectPlain(
  model: Decoder,
  questions: readonly AttributedQuestion[],
  options: AttributeOptions,
  wanted: Awaited<ReturnType<typeof plainly>>,
) {
  const found = await attribute(model, questions, options);
  expect(found).toHaveLength(wanted.length);
  const label = JSON.stringify(options);
  for (const [i, { logProb, contributions }] of wanted.entries()) {
    expectClose([found[i]!.logProb], [logProb], { atol: 1e-5, rtol: 0, label });
    expectClose(found[i]!.contributions, contributions, { atol: 1e-5, rtol: 0, label });
  }
}

// Very different lengths; one begins with a word, one ends with a word, one is a word between two tokens.
const questions = [
  questionOf(3, 6, 2, 5),
  questionOf(0, 4, 1, 1),
  questionOf(40, 9, 0, 17),
  questionOf(1, 1, 1, 2),
  questionOf(1, 2, 0, 3),
];

describe("equals a plain pass for each prompt", async () => {
  const [deleted, masked] = [await plainly(model, questions), await plainly(model, questions, 7)];

  test.each([1, 60, 300, 1000, "some"])("in batches of %s tokens", async (tokens) => {
    const size = typeof tokens === "number" ? { batchTokens: tokens } : {};
    await expectPlain(model, questions, size, deleted);
    await expectPlain(model, questions, { ...size, perturbation: "mask", maskToken: 7 }, masked);
  });

  test("one question at a time, in any order, and to the bit when it is done again", async () => {
    for (const [i, question] of questions.entries()) await expectPlain(model, [question], {}, [deleted[i]!]);
    await expectPlain(model, questions.toReversed(), {}, deleted.toReversed());
    expect(await attribute(model, questions)).toEqual(await attribute(model, questions));
  });
});

test("computes what comes before a word once, and logits at the rows that predict the answer alone", async () => {
  const [, , long] = questions;
  const { asked, answer } = long!;
  const losses = vi.spyOn(model, "losses");
  try {
    await attribute(model, [long!]);
    const passes = losses.mock.calls.map(([{ ids, cachedColumns }, labels]) => {
      return { columns: ids.shape[1], tokens: ids.size, cachedColumns, logits: labels.size };
    });
    const [whole, ...rest] = passes;
    const all = asked.tokens.length + answer.length - 1;
    expect(whole).toEqual({ columns: all, tokens: all, cachedColumns: 0, logits: answer.length });
    expect(rest.reduce((sum, { logits }) => sum + logits, 0)).toBe(asked.words.length * answer.length);
    for (const { cachedColumns, columns } of rest) {
      expect(cachedColumns).toBeGreaterThanOrEqual(40);
      expect(columns).toBeLessThan(all - 40);
    }
  } finally {
    losses.mockRestore();
  }
});

test("words may have tokens apart from each other, and share one", async () => {
  const words = [
    [1, 6],
    [2, 3],
    [3, 4, 5],
  ].map((tokens) => ({ text: "w", tokens }));
  const apart = [{ asked: { question: "w w w", tokens: tokens(9), words }, answer: tokens(4) }];
  await expectPlain(model, apart, {}, await plainly(model, apart));
  await expectPlain(model, apart, { perturbation: "mask", maskToken: 3 }, await plainly(model, apart, 3));
});

test("where frequencies change with the length, each length has its own pass", async () => {
  const { config } = model;
  const rope_scaling = { rope_type: "dynamic", factor: 3 };
  using scaled = initLlama(device, { ...config, max_position_embeddings: 16, rope_scaling }, 3);
  // Below the trained length, above it, and above it but for the longest words.
  const lengths = [questionOf(2, 3, 1, 2), questionOf(5, 8, 3, 9), questionOf(9, 3, 1, 2), questionOf(9, 2, 1, 3)];
  const wanted = await plainly(scaled, lengths);
  for (const batchTokens of [1, 100, 1000]) await expectPlain(scaled, lengths, { batchTokens }, wanted);
  await expectPlain(scaled, lengths, { perturbation: "mask", maskToken: 3 }, await plainly(scaled, lengths, 3));
});

test("a large vocabulary is read in pieces", async () => {
  using large = smallLlama(device, 4, { vocab_size: 270_001, num_hidden_layers: 1 });
  // 34 rows without one word each: of this vocabulary, 16 are a piece.
  const long = [questionOf(2, 2, 1, 17)];
  await expectPlain(large, long, {}, await plainly(large, long));
});

test("gives its memory back, also when it is stopped, and counts its work from 0 to 1", async () => {
  const before = device.memory().bytesInUse;
  const shares: number[] = [];
  await attribute(model, questions, { progress: (share) => shares.push(share), batchTokens: 100 });
  expect(shares[0]).toBe(0);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(new Set(shares).size).toBe(shares.length);
  expect(shares.at(-1)).toBeLessThan(1);
  const controller = new AbortController();
  const stop = new Error("enough");
  const progress = (share: number) => share > 0.3 && controller.abort(stop);
  const { signal } = controller;
  await expect(attribute(model, questions, { progress, signal, batchTokens: 100 })).rejects.toBe(stop);
  expect(device.memory().bytesInUse).toBe(before);
});

test("takes smaller batches where memory is short, and says before the first pass when one does not fit", async () => {
  const wanted = await attribute(model, questions);
  const free = vi.spyOn(device, "freeBytes");
  try {
    free.mockReturnValue(400_000);
    let batches = 0;
    const found = await attribute(model, questions, { progress: () => batches++ });
    expect(batches).toBeGreaterThan(4);
    for (const [i, { contributions }] of wanted.entries())
      expectClose(found[i]!.contributions, contributions, { atol: 1e-5, rtol: 0 });
    const passes = device.dispatches;
    await expect(attribute(model, questions, { batchTokens: 100_000 })).rejects.toThrow(
      "Take smaller batches (batchTokens)",
    );
    free.mockReturnValue(1000);
    await expect(attribute(model, questions)).rejects.toThrow("attributing answers with llama needs");
    expect(device.dispatches).toBe(passes);
  } finally {
    free.mockRestore();
  }
});

test("refuses what has no contribution, with the question", async () => {
  const good = questions[0]!;
  const { asked } = good;
  const refusal = (question: AttributedQuestion, options?: AttributeOptions) =>
    expect(attribute(model, [good, question], options)).rejects;
  expect(await attribute(model, [])).toEqual([]);
  await refusal({ asked, answer: [] }).toThrow('question 1, "what?", has an answer without tokens');
  await refusal({ asked: { ...asked, words: [] }, answer: [3] }).toThrow("has no words");
  for (const places of [[], [2, 2], [-0.5], [asked.tokens.length]]) {
    const words = [{ text: "odd", tokens: places }];
    await refusal({ asked: { ...asked, words }, answer: [3] }).toThrow(/odd|expected/);
  }
  const alone = { asked: { question: "Why", tokens: [5, 6], words: [{ text: "Why", tokens: [0, 1] }] }, answer: [3] };
  await refusal(alone).toThrow('without the word "Why" nothing is left of the prompt of question 1');
  await expectPlain(model, [alone], { perturbation: "mask", maskToken: 9 }, await plainly(model, [alone], 9));
  await refusal(good, { perturbation: "mask" }).toThrow("tokenizer");
  await refusal(good, { perturbation: "mask", maskToken: 99 }).toThrow("token 99 is outside its vocabulary of 53");
});

test("says which log-probability is not finite", async () => {
  using broken = smallLlama(device, 5);
  const embedding = broken.weights.get("model.embed_tokens.weight")!;
  // Token 7 has an embedding that is not a number. Only the mask is this token.
  device.writeBytes(embedding, 7 * 4 * 16, new Uint8Array(new Float32Array(16).fill(Number.NaN).buffer));
  const asked = { question: "a b", tokens: [3, 4, 5, 6], words: [{ text: "b", tokens: [2] }] };
  await expect(attribute(broken, [{ asked, answer: [8] }], { perturbation: "mask", maskToken: 7 })).rejects.toThrow(
    'llama gives the answer to question 0, "a b", without the word "b" is NaN',
  );
});
