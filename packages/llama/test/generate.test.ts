import { generateTokens, LogitsError, ModelUseError, readText } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { testDevice } from "@lethe/testing/device";
import { golden, goldenModel } from "@lethe/testing/golden";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initLlama, type Llama } from "../src/index.ts";

const device = await testDevice();
const { prompts, greedy } = await golden("gqa-tied-f32");
let model: Llama;
beforeAll(async () => {
  model = await goldenModel(device, "gqa-tied-f32");
});
afterAll(() => model.dispose());

test("tokens come one column at a time; an ended sequence gives null", async () => {
  const columns: (number | null)[][] = [];
  for await (const column of generateTokens(model, prompts, { maxNewTokens: 5 })) columns.push(column);
  const padded = greedy.map((tokens) => [...tokens, null, null].slice(0, 5));
  expect(columns).toEqual(columns.map((_, t) => padded.map((tokens) => tokens[t])));
  expect(columns).toHaveLength(5);
});

test("generation ends when every sequence has ended, and the loop can be left early", async () => {
  const [ended] = await model.generate([prompts[2]!], { maxNewTokens: 50 });
  expect(ended).toEqual({ tokens: [7, 61], stop: 2, text: undefined });
  expect((await model.generate([prompts[2]!], { maxNewTokens: 4, stop: [] }))[0]!.tokens).toHaveLength(4);
  expect((await model.generate([prompts[2]!], { stop: [7] }))[0]).toMatchObject({ tokens: [], stop: 7 });
  for await (const _ of generateTokens(model, prompts)) break;
});

test("the same seed gives the same draws", async () => {
  const draw = async (seed: number) => {
    const made = await model.generate(prompts, {
      maxNewTokens: 4,
      temperature: 1,
      topK: 20,
      topP: 0.9,
      seed,
      stop: [],
    });
    return made.map(({ tokens }) => tokens);
  };
  expect(await draw(1)).toEqual(await draw(1));
  expect(await draw(1)).not.toEqual(await draw(2));
  const certain = await model.generate(prompts, { maxNewTokens: 4, temperature: 1, topK: 1, stop: [] });
  const likeliest = await model.generate(prompts, { maxNewTokens: 4, stop: [] });
  expect(certain).toEqual(likeliest);
});

test("hooks run in every pass", async () => {
  using seen = new Captures();
  const hooks = new Hooks().scale("M", 0).capture("M", seen, { layers: [0] });
  const [changed] = await model.generate([prompts[0]!], { maxNewTokens: 6, hooks, stop: [] });
  expect(changed!.tokens).not.toEqual(greedy[0]!.slice(0, 6));
  expect(seen.get("M", 0).shape).toEqual([1, 1, 32]);
});

test("the attention pattern covers the cached columns", async () => {
  using seen = new Captures();
  const hooks = new Hooks().capture("pattern", seen, { layers: [1] });
  const [made] = await model.generate([prompts[0]!], { maxNewTokens: 3, hooks });
  expect(made!.tokens).toEqual(greedy[0]!.slice(0, 3));
  const { shape } = seen.get("pattern", 1);
  expect(shape.slice(0, 3)).toEqual([1, 4, 1]);
});

test("text is streamed as whole characters", async () => {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const vocab = Object.fromEntries(["<unk>", "a", ...bytes].map((token, id) => [token, id]));
  const tokenizer = {
    version: "1.0",
    added_tokens: [],
    decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] },
    model: { type: "BPE", vocab, merges: [], unk_token: "<unk>", byte_fallback: true },
  };
  const text = await readText(memoryFolder({ "tokenizer.json": tokenizer }));
  const sizes = { hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 1 };
  using small = initLlama(device, { ...sizes, vocab_size: 258 }, 1, text);
  // The embedding of each token points at the next token: a → é (two bytes) → a.
  const [a, first, second] = [1, 2 + 0xc3, 2 + 0xa9];
  const table = new Float32Array(258 * 8);
  const head = new Float32Array(258 * 8);
  for (const [i, [from, to]] of [
    [a, first],
    [first, second],
    [second, a],
  ].entries()) {
    table[from! * 8 + i] = 1;
    head[to! * 8 + i] = 1;
  }
  device.writeBytes(small.weights.get("model.embed_tokens.weight")!, 0, new Uint8Array(table.buffer));
  device.writeBytes(small.weights.get("lm_head.weight")!, 0, new Uint8Array(head.buffer));
  const pieces: string[] = [];
  for await (const piece of small.stream("a", { maxNewTokens: 4 })) pieces.push(piece);
  // Bytes come when their run has ended: a wrong byte would make the whole run unreadable.
  expect(pieces).toEqual(["", "", "éa", "", "\uFFFD"]);
  const nothing = new Hooks().add("logits", device.tensor(new Float32Array(258).fill(Number.NaN), [258]));
  const broken = small.stream("a", { hooks: nothing });
  await expect(broken.next()).rejects.toThrow(LogitsError);
  const [made] = await small.generate(["a"], { maxNewTokens: 3 });
  expect(made!.text).toBe("éa");
});

test("a tokenizer of the caller's takes the place of the directory's, and null of any", async () => {
  const vocab = Object.fromEntries(Array.from("abcdefgh", (token, id) => [token, id]));
  const json = { version: "1.0", added_tokens: [], model: { type: "BPE", vocab, merges: [] } };
  const own = (await readText(memoryFolder({ "tokenizer.json": json })))!;
  using given = await goldenModel(device, "gqa-tied-f32", { tokenizer: own });
  expect(given.text).toBe(own);
  expect(await given.generate(["bad"], { maxNewTokens: 3 })).toMatchObject(
    (await model.generate([[1, 0, 3]], { maxNewTokens: 3 })).map(({ tokens }) => ({ tokens })),
  );
  using without = await goldenModel(device, "gqa-tied-f32", { tokenizer: null });
  expect(without.text).toBeUndefined();
});

test("generations at the same time give the same tokens as one after another, and release their memory", async () => {
  const kinds = [{}, { temperature: 1, seed: 3 }, { hooks: new Hooks().scale("M", 0, { layers: [0] }) }];
  const generate = (kind: object) => model.generate(prompts, { maxNewTokens: 6, stop: [], ...kind });
  const { bytesInUse } = device.memory();
  const alone = [];
  for (const kind of kinds) alone.push(await generate(kind));
  expect(await Promise.all(kinds.map(generate))).toEqual(alone);
  expect(device.memory().bytesInUse).toBe(bytesInUse);
});

test("an aborted signal stops a generation before its next pass, with the signal's reason", async () => {
  const { bytesInUse } = device.memory();
  const stopped = new Error("stopped");
  await expect(model.generate(prompts, { signal: AbortSignal.abort(stopped) })).rejects.toBe(stopped);
  const controller = new AbortController();
  const columns: unknown[] = [];
  const generation = (async () => {
    for await (const column of generateTokens(model, prompts, { stop: [], signal: controller.signal })) {
      columns.push(column);
      if (columns.length === 3) controller.abort(stopped);
    }
  })();
  await expect(generation).rejects.toBe(stopped);
  expect(columns).toHaveLength(3);
  expect(device.memory().bytesInUse).toBe(bytesInUse);
});

describe("logits that choose no token", () => {
  /** Adds a number to some logits of one sequence, from a step on. */
  const spoil = (value: number, { sequence = 1, tokens = [30], from = 0 } = {}) => {
    let step = 0;
    return new Hooks().edit("logits", (x, { ops }) => {
      if (step++ < from) return x;
      const [rows, width] = x.shape as [number, number];
      const added = new Float32Array(rows * width);
      for (const token of tokens) added[sequence * width + token] = value;
      return ops.add(x, device.tensor(added, x.shape));
    });
  };
  const every = Array.from({ length: 67 }, (_, token) => token);
  const kinds = [{}, { temperature: 1 }, { temperature: 0.7, topK: 3, topP: 0.5 }];

  test.each(kinds)("stop a generation with the sequence and the token: %o", async (kind) => {
    const { bytesInUse } = device.memory();
    const generate = (hooks: Hooks) => model.generate(prompts, { maxNewTokens: 5, stop: [], ...kind, hooks });
    const failure = async (hooks: Hooks) => {
      const error = await generate(hooks).catch((reason) => reason);
      expect(error).toBeInstanceOf(LogitsError);
      return error as LogitsError;
    };
    const last = prompts.map(({ length }) => length - 1);
    expect(await failure(spoil(Number.NaN))).toMatchObject({ sequence: 1, token: last[1] });
    expect(await failure(spoil(Number.NaN, { sequence: 2, from: 3 }))).toMatchObject({
      sequence: 2,
      token: last[2]! + 3,
    });
    expect(await failure(spoil(-Infinity, { tokens: every, from: 1 }))).toMatchObject({ token: last[1]! + 1 });
    expect((await failure(spoil(Number.NaN))).message).toContain(
      `generate: sequence 1: the logits after its token ${last[1]} hold NaN or nothing above −∞`,
    );
    const others = every.filter((token) => token !== 30);
    for (const legal of [
      spoil(-Infinity, { tokens: others }),
      spoil(Infinity),
      spoil(Infinity, { tokens: [30, 31] }),
    ]) {
      const { tokens } = (await generate(legal))[1]!;
      expect(tokens.every((token) => token === 30 || token === 31)).toBe(true);
    }
    expect(device.memory().bytesInUse).toBe(bytesInUse);
  });

  test("do not count in a sequence that has ended", async () => {
    const [whole] = await model.generate(prompts, { maxNewTokens: 5 });
    const after = { sequence: 2, from: 3 }; // The third sequence ends with its third token.
    expect((await model.generate(prompts, { maxNewTokens: 5, hooks: spoil(Number.NaN, after) }))[0]).toEqual(whole);
  });
});

test("bad prompts and options are refused", async () => {
  await expect(model.stream("text").next()).rejects.toThrow(ModelUseError);
  await expect(model.generate(["text"])).rejects.toThrow("has no tokenizer");
  await expect(model.generate([[1, 67]])).rejects.toThrow("token 67 is outside its vocabulary of 67");
  await expect(model.generate([[1]], { topP: 0 })).rejects.toThrow("topP is 0, expected a probability");
  await expect(model.generate([[1]], { temperature: Infinity })).rejects.toThrow("temperature is Infinity");
  await expect(model.generate([[1]], { maxNewTokens: -1 })).rejects.toThrow("maxNewTokens is -1");
  await expect(model.generate([[]])).rejects.toThrow("sequence 0 has no tokens");
  expect(await model.generate([])).toEqual([]);
});
