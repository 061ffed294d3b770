import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import {
  batchOf,
  continueGreedily,
  type Decoder,
  fewLengths,
  generateTokens,
  LogitsError,
  stepOf,
} from "@lethe/decoder";
import { randomOf } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { describe, expect, test } from "vitest";
import { loadConcepts } from "../src/data/load.ts";
import { promptOf } from "../src/index.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const device = await testDevice();
const MOST = 14;

/** A copy whose weights have noise of this share of their size. */
async function noisy(model: Decoder, share: number): Promise<Decoder> {
  const copy = model.copyInF32();
  const random = randomOf(5, "noise");
  for (const weight of copy.weights.values()) {
    const values = (await weight.read()) as Float32Array;
    const size = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    // A sum of uniform numbers, with a variance of 1.
    const changed = values.map((value) => value + share * size * 2 * (random() + random() + random() - 1.5));
    device.writeBytes(weight, 0, new Uint8Array(changed.buffer));
  }
  return copy;
}

/** Plain greedy decoding: the whole batch to the end, without guesses. */
async function plainly(model: Decoder, prompts: readonly (readonly number[])[]): Promise<number[][]> {
  const made = prompts.map((): number[] => []);
  for await (const column of generateTokens(model, prompts, { maxNewTokens: MOST }))
    for (const [b, token] of column.entries())
      if (token !== null && !model.stopTokens.includes(token)) made[b]!.push(token);
  return made;
}

/** The largest change of a logit, relative to the largest of its row or to 1, between decoding with a cache and a pass over the sequence alone. */
async function changeByPass(model: Decoder, sequences: readonly (readonly number[])[]): Promise<number> {
  const length = sequences[0]!.length;
  using cache = model.newCache(sequences.length, length);
  using _scope = device.scope("changes");
  using beginnings = batchOf(
    device,
    sequences.map((tokens) => tokens.slice(0, -1)),
  );
  model.forward(beginnings, { cache, upTo: "resid" });
  const [starts, lengths] = [sequences.map(() => 0), sequences.map(() => length - 1)];
  using step = stepOf(
    device,
    sequences.map((tokens) => tokens.at(-1)!),
    { starts, lengths },
  );
  const decoded = (await model.forward(step, { cache }).read()) as Float32Array;
  const width = decoded.length / sequences.length;
  let most = 0;
  for (const [b, tokens] of sequences.entries()) {
    using alone = batchOf(device, [tokens], { padTo: fewLengths });
    const all = (await model.forward(alone).read()) as Float32Array;
    const [row, other] = [all.subarray(-width), decoded.subarray(b * width, (b + 1) * width)];
    const largest = row.reduce((a, x) => Math.max(a, x), -Infinity);
    const change = row.reduce((a, x, i) => Math.max(a, Math.abs(x - other[i]!)), 0);
    most = Math.max(most, change / Math.max(1, Math.abs(largest)));
  }
  return most;
}

describe.each(["llama", "olmo"])("tiny %s", (family) => {
  test.each([0, 0.3])(
    "continues prompts as plain greedy decoding does, whatever is guessed; noise %f",
    async (noise) => {
      using vanilla = await loadModel(device, fromRoot(`models/tiny-${family}`));
      using model = noise > 0 ? await noisy(vanilla, noise) : vanilla.copyInF32();
      const concepts = await loadConcepts(fromRoot(`data/${family}.json`));
      const questions = concepts.slice(0, 2).flatMap(({ questions }) => questions.slice(0, 9));
      const prompts = await Promise.all(questions.map((question) => model.text!.encode(promptOf(question))));
      const plain = await plainly(model, prompts);
      const guesses = plain.map((tokens, b) => {
        const middle = Math.floor(tokens.length / 2);
        const wrong = (tokens[middle]! + 7) % model.config.vocab_size;
        const kinds = [
          [], // none
          tokens, // right to the end
          [...tokens, 5, 6, 7], // too long
          [(tokens[0]! + 3) % model.config.vocab_size, ...tokens.slice(1)], // wrong at the first token
          [...tokens.slice(0, middle), wrong, ...tokens.slice(middle + 1)],
          [...tokens.slice(0, 2), ...model.stopTokens, 9], // ends too early
          plain[(b + 1) % plain.length]!, // another's
          [...tokens.slice(0, 3), 1e6, -1], // not this model's tokens
          [...tokens, ...model.stopTokens],
        ];
        return kinds[b % kinds.length]!;
      });
      const tokensOf = async (options: object, own = prompts) =>
        (await continueGreedily(model, own, { maxNewTokens: MOST, ...options })).map(({ tokens }) => tokens);
      expect(await tokensOf({})).toEqual(plain);
      expect(await tokensOf({ guesses })).toEqual(plain);
      let passes = 0;
      expect(await tokensOf({ guesses: plain, onPass: () => passes++ })).toEqual(plain);
      expect(passes).toBe(1);
      expect(await tokensOf({ guesses: guesses.slice(3, 4) }, prompts.slice(3, 4))).toEqual(plain.slice(3, 4));
      if (noise === 0) expect(plain.some(({ length }) => length < MOST)).toBe(true);
      const tokens = prompts.slice(0, 6).map((prompt) => prompt.slice(0, 12));
      // A clear lead is forty times as large.
      expect(await changeByPass(model, tokens)).toBeLessThan(5e-4 / 40);
    },
  );
});

test("where two tokens are nearly alike, neither the batch nor a guess decides between them", async () => {
  using model = smallLlama(device, 4, { num_hidden_layers: 2 });
  const unembedding = model.weights.get("lm_head.weight")!;
  const values = Float32Array.from((await unembedding.read()) as Float32Array);
  const [rows, width] = unembedding.shape as [number, number];
  // Each odd token's logit is an even one's, but for some last bits.
  for (let i = width; i < rows * width - width; i++)
    if (Math.floor(i / width) % 2 === 1) values[i] = values[i - width]! * (1 + ((i % 3) - 1) * 2 ** -23);
  device.writeBytes(unembedding, 0, new Uint8Array(values.buffer));
  const prompts = Array.from({ length: 6 }, (_, b) =>
    Array.from({ length: 3 + (b % 5) }, (_, t) => (7 * b + 3 * t) % 53),
  );
  const options = { maxNewTokens: 8, stop: [] };
  const together = await continueGreedily(model, prompts, options);
  const guesses = together.map(({ tokens }, b) => tokens.slice(0, b));
  expect(await continueGreedily(model, prompts, { ...options, guesses })).toEqual(together);
  for (const b of [0, 5]) expect(await continueGreedily(model, [prompts[b]!], options)).toEqual([together[b]]);
  expect(new Set(together.flatMap(({ tokens }) => tokens.map((token) => token % 2))).size).toBe(2);
});

test("ends where it is told to, releases its memory, and names the sequence whose logits are NaN", async () => {
  using model = smallLlama(device, 1);
  const prompts = [[3, 4], [5, 6, 7], [8]];
  const plain = await continueGreedily(model, prompts, { maxNewTokens: 9, stop: [] });
  const { bytesInUse } = device.memory();
  const stop = [plain[1]!.tokens[4]!];
  const ended = await continueGreedily(model, prompts, {
    maxNewTokens: 9,
    stop,
    guesses: plain.map(({ tokens }) => tokens),
  });
  for (const [b, { tokens }] of plain.entries()) {
    const end = tokens.indexOf(stop[0]!);
    expect(ended[b]).toEqual(end < 0 ? { tokens, stop: null } : { tokens: tokens.slice(0, end), stop: stop[0] });
  }
  expect(await continueGreedily(model, prompts, { maxNewTokens: 0 })).toMatchObject([{ tokens: [] }, {}, {}]);
  expect(await continueGreedily(model, [], {})).toEqual([]);
  expect(device.memory().bytesInUse).toBe(bytesInUse);
  const norm = model.weights.get("model.norm.weight")!;
  device.writeBytes(norm, 0, new Uint8Array(new Float32Array([Number.NaN]).buffer));
  await expect(continueGreedily(model, prompts, {})).rejects.toThrow(LogitsError);
});
