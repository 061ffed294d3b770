import { batchOf, drawContinuations, LogitsError, ModelUseError } from "@lethe/decoder";
import { OutOfMemoryError, openDevice, randomOf } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { afterAll, expect, test } from "vitest";

const device = await testDevice();
const model = warmLlama(device, 1);
afterAll(() => model.dispose());

const prompts = [[2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [12, 13, 14], [15]];
/** A fifth of the vocabulary ends a sequence, so that sequences leave a batch at different times. */
const stop = Array.from({ length: 10 }, (_, token) => token);
const options = { samples: 5, seed: 3, maxNewTokens: 9, stop };

/** The logits after a sequence, of a pass over it alone. */
async function logitsAfter(tokens: readonly number[]): Promise<Float32Array> {
  using _ = device.scope("plain");
  const batch = batchOf(device, [tokens]);
  const rows = device.tensor([tokens.length - 1], [1], "u32", "last row");
  return model.forward(batch, { rows }).read();
}

/** The token at which the probabilities, added up from token 0 on, pass a number in [0, 1). */
function tokenAt(logits: Float32Array, uniform: number): number {
  const weights = Array.from(logits, (logit) => Math.exp(logit - Math.max(...logits)));
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  return weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
}

test("each token is drawn from a plain pass over its sequence, with the sequence's own random numbers", async () => {
  const made = await drawContinuations(model, prompts, options);
  expect(made.map((own) => own.length)).toEqual([5, 5, 5]);
  const lengths = new Set<number>();
  for (const [p, prompt] of prompts.entries())
    for (const [s, { tokens, stop: ended }] of made[p]!.entries()) {
      const random = randomOf(3, "draws", prompt.join(), s);
      const whole = ended === null ? tokens : [...tokens, ended];
      for (const [i, token] of whole.entries())
        expect(token).toBe(tokenAt(await logitsAfter([...prompt, ...whole.slice(0, i)]), random()));
      expect(ended === null ? tokens.length : stop.includes(ended)).toBe(ended === null ? 9 : true);
      lengths.add(whole.length);
    }
  expect(lengths.size, "sequences end at different times").toBeGreaterThan(3);
});

test("the same seed gives the same continuations, beside other prompts and in other batches too", async () => {
  const made = await drawContinuations(model, prompts, options);
  expect(await drawContinuations(model, prompts, options)).toEqual(made);
  for (const batchSize of [1, 4, 7])
    expect(await drawContinuations(model, prompts, { ...options, batchSize })).toEqual(made);
  const [last, , first] = await drawContinuations(model, prompts.toReversed(), { ...options, samples: 7 });
  expect([first!.slice(0, 5), last!.slice(0, 5)]).toEqual([made[0], made[2]]);
  expect(await drawContinuations(model, prompts, { ...options, seed: 4 })).not.toEqual(made);
});

test("over many samples tokens come as often as they are likely, and independently of each other", async () => {
  const samples = 6000;
  const [made] = await drawContinuations(model, [prompts[0]!], {
    ...options,
    samples,
    maxNewTokens: 1,
    batchSize: 2000,
    stop: [],
  });
  const drawn = made!.map(({ tokens }) => tokens[0]!);
  const logits = Array.from(await logitsAfter(prompts[0]!), Math.exp);
  const total = logits.reduce((sum, value) => sum + value);
  const likely = logits.map((value) => value / total);
  /** Pearson's statistic, less its mean, in its standard deviations. */
  const surprise = (counts: readonly number[], probabilities: readonly number[]) => {
    const all = counts.reduce((sum, count) => sum + count);
    const squares = counts.map((count, i) => (count - all * probabilities[i]!) ** 2 / (all * probabilities[i]!));
    const freedom = counts.length - 1;
    return (squares.reduce((sum, square) => sum + square, 0) - freedom) / Math.sqrt(2 * freedom);
  };
  const counts = likely.map((_, token) => drawn.filter((other) => other === token).length);
  expect(surprise(counts, likely)).toBeLessThan(5);
  // Pairs of consecutive samples, the vocabulary in four parts.
  const quarter = (token: number) => token % 4;
  const parts = [0, 1, 2, 3].map((part) =>
    likely.reduce((sum, p, token) => sum + (quarter(token) === part ? p : 0), 0),
  );
  const pairs = Array<number>(16).fill(0);
  for (let i = 1; i < samples; i++) pairs[4 * quarter(drawn[i - 1]!) + quarter(drawn[i]!)]!++;
  expect(
    surprise(
      pairs,
      pairs.map((_, i) => parts[Math.floor(i / 4)]! * parts[i % 4]!),
    ),
  ).toBeLessThan(5);
});

test("at temperature 0 every sample is the greedy continuation", async () => {
  const greedy = await model.generate(prompts, { maxNewTokens: 5, stop: [] });
  const made = await drawContinuations(model, prompts, {
    ...options,
    samples: 2,
    maxNewTokens: 5,
    stop: [],
    temperature: 0,
  });
  for (const [p, own] of made.entries()) for (const { tokens } of own) expect(tokens).toEqual(greedy[p]!.tokens);
});

test("gives its memory back, also when it is stopped, and tells of each pass", async () => {
  const { bytesInUse } = device.memory();
  const controller = new AbortController();
  const enough = new Error("enough");
  let passes = 0;
  const onPass = () => {
    if (++passes === 3) controller.abort(enough);
  };
  const drawn = drawContinuations(model, prompts, { ...options, stop: [], onPass, signal: controller.signal });
  await expect(drawn).rejects.toBe(enough);
  expect(passes).toBe(3);
  await drawContinuations(model, prompts, options);
  expect(device.memory().bytesInUse).toBe(bytesInUse);
});

test("logits that choose no token stop it, with the number of the prompt", async () => {
  using broken = smallLlama(device, 2);
  device.writeBytes(broken.weights.get("model.norm.weight")!, 0, new Uint8Array(new Float32Array([Number.NaN]).buffer));
  const error = await drawContinuations(broken, prompts, { ...options, batchSize: 2 }).catch((reason) => reason);
  expect(error).toBeInstanceOf(LogitsError);
  expect(error).toMatchObject({ sequence: 0, token: 9 });
});

test("what is outside its range, and what does not fit, is refused before the first token", async () => {
  const refused: [object, string][] = [
    [{ samples: 0 }, "samples is 0, expected a whole number from 1"],
    [{ batchSize: 1.5 }, "batchSize is 1.5"],
    [{ temperature: -1 }, "temperature is -1"],
    [{ maxNewTokens: -1 }, "maxNewTokens is -1"],
  ];
  for (const [wrong, message] of refused) {
    const drawn = drawContinuations(model, prompts, { ...options, ...wrong });
    await expect(drawn).rejects.toThrow(ModelUseError);
    await expect(drawn).rejects.toThrow(message);
  }
  expect(await drawContinuations(model, [], options)).toEqual([]);
  expect(await drawContinuations(model, [[2]], { ...options, samples: 1, maxNewTokens: 0 })).toEqual([
    [{ tokens: [], stop: null }],
  ]);
  const small = await openDevice({ memoryBytes: 2 ** 20 });
  using large = smallLlama(small, 1);
  const drawn = drawContinuations(large, [[2]], { ...options, samples: 1000, batchSize: 1000 });
  await expect(drawn).rejects.toThrow(OutOfMemoryError);
  await expect(drawn).rejects.toThrow("Take a smaller `batchSize`.");
  large.dispose();
  small.destroy();
});
