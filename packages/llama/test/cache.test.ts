import { batchOf, fewLengths, generateTokens } from "@lethe/decoder";
import { type Device, OutOfMemoryError, openDevice } from "@lethe/tensor";
import { golden, goldenModel } from "@lethe/testing/golden";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import type { Llama } from "../src/index.ts";

const { prompts } = await golden("gqa-tied-f32");
const device = await openDevice({ poison: true });
const model = await goldenModel(device, "gqa-tied-f32");
afterAll(() => device.destroy());

async function modelOn(options: Parameters<typeof openDevice>[0]): Promise<{ own: Device; model: Llama }> {
  const own = await openDevice({ poison: true, ...options });
  onTestFinished(() => own.destroy());
  return { own, model: await goldenModel(own, "gqa-tied-f32") };
}

const continued = 300;
const long = model.generate(prompts, { maxNewTokens: continued, stop: [] });

test("a cache grows with the columns, and the tokens are those of passes without a cache", async () => {
  const made = await long;
  const sequences = prompts.map((prompt, b) => [...prompt, ...made[b]!.tokens]);
  expect(new Set(made[0]!.tokens.slice(-50)).size).toBeGreaterThan(1);
  using batch = batchOf(
    device,
    sequences.map((tokens) => tokens.slice(0, -1)),
  );
  using _ = device.scope("whole");
  const logits = model.forward(batch);
  const width = model.config.vocab_size;
  const values = await logits.read();
  for (const [b, { tokens }] of made.entries()) {
    let near = 0;
    for (const [i, token] of tokens.entries()) {
      const row = batch.row(b, prompts[b]!.length - 1 + i) * width;
      const largest = Math.max(...values.subarray(row, row + width));
      expect(largest - values[row + token]!).toBeLessThan(1e-4);
      if (values[row + token] === largest) near++;
    }
    expect(near).toBeGreaterThan(continued - 5);
  }
});

test("a cache and rotary tables larger than a binding give the same tokens", async () => {
  const { own, model: parted } = await modelOn({ maxBindingBytes: 10_000 });
  expect(await parted.generate(prompts, { maxNewTokens: continued, stop: [] })).toEqual(await long);
  expect(own.capabilities.maxBindingBytes).toBe(10_000);
});

test("a long limit takes memory only as the text grows", async () => {
  await model.generate(prompts, { maxNewTokens: 20, stop: [] });
  const { bytesInUse } = device.memory();
  device.pool.resetPeak();
  const columns = generateTokens(model, prompts, { maxNewTokens: 100_000, stop: [] });
  for (let i = 0; i < 20; i++) await columns.next();
  expect(device.memory().peakBytes - bytesInUse).toBeLessThan(2e6);
  await columns.return();
  expect(device.memory().bytesInUse).toBe(bytesInUse);
});

test("what cannot fit is refused before the first token, with what fits", async () => {
  const { own, model: small } = await modelOn({ memoryBytes: 6e6 });
  await small.generate(prompts, { maxNewTokens: 2 });
  const { bytesInUse } = own.memory();
  // The cache is 3 layers · 2 · 3 sequences · 96 bytes a column.
  const ask = (maxNewTokens: number) => generateTokens(small, prompts, { maxNewTokens, stop: [] });
  const refused = await ask(1e6)
    .next()
    .catch((error) => error);
  expect(refused).toBeInstanceOf(OutOfMemoryError);
  expect(refused.message).toMatch(
    /^generating up to 1,000,000 tokens with .*llama-gqa-tied-f32 needs 2,1\d\d,\d{3},\d{3} bytes/,
  );
  expect(refused.message).toMatch(/\n {2}KV cache .*\n {2}rotary tables .*\n {2}activations /);
  const fits = Number(/Take at most ([\d,]+) new tokens/.exec(refused.message)![1]!.replaceAll(",", ""));
  expect(fits).toBeGreaterThan(1000);
  await expect(ask(fits + 200).next()).rejects.toThrow(OutOfMemoryError);
  expect(own.memory().bytesInUse).toBe(bytesInUse);
  const columns = ask(fits);
  await columns.next();
  await columns.return();
  expect(own.memory().bytesInUse).toBe(bytesInUse);
});

test("a generation that fails while its cache grows gives back its memory", async () => {
  const { own, model: failing } = await modelOn({});
  await failing.generate(prompts, { maxNewTokens: 300, stop: [] });
  const { bytesInUse } = own.memory();
  const lasting = own.lasting.bind(own);
  vi.spyOn(own, "lasting").mockImplementation((shape, dtype, label) => {
    if (label === "value cache of layer 1" && shape[1]! > 256) throw new OutOfMemoryError("no more");
    return lasting(shape, dtype, label);
  });
  await expect(failing.generate(prompts, { maxNewTokens: 300, stop: [] })).rejects.toThrow("no more");
  expect(own.memory().bytesInUse).toBe(bytesInUse);
});

test.each([2, 300])("the plan is the peak of a generation of %i tokens, and little more", async (maxNewTokens) => {
  const { own, model: fresh } = await modelOn({});
  const columns = fewLengths(Math.max(...prompts.map(({ length }) => length)));
  const planned = fresh.memoryToGenerate(prompts.length, columns, columns + maxNewTokens - 1);
  const bytes = planned.reduce((sum, need) => sum + need.bytes, 0);
  const { bytesInUse } = own.memory();
  own.pool.resetPeak();
  await fresh.generate(prompts, { maxNewTokens, stop: [] });
  const peak = own.memory().peakBytes - bytesInUse;
  expect(peak).toBeLessThanOrEqual(bytes);
  expect(peak).toBeGreaterThan(bytes / 2);
});
