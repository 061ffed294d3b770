import { testDevice } from "@lethe/testing/device";
import { warmLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { afterAll, expect, test } from "vitest";
import { depthCost } from "../../src/studies/depth/cost.ts";
import { measureDepth } from "../../src/studies/depth/measure.ts";
import { depthOptions, depthSchema } from "../../src/studies/depth/schema.ts";
import type { KnownAnswer, KnownAnswers, Subject, Watcher } from "../../src/subjects/subject.ts";

const device = await testDevice();
const vanilla = warmLlama(device, 1);
const changed = warmLlama(device, 2);
afterAll(() => {
  vanilla.dispose();
  changed.dispose();
});

const tokens = (count: number) => Array.from({ length: count }, () => integer(2, 52));
const answer = (length: number): KnownAnswer => {
  return { question: "", text: "", expected: null, prompt: tokens(6), tokens: tokens(length) };
};

/** A subject whose vanilla answers are made up. */
function subjectOf(
  model: typeof vanilla,
): Subject<typeof vanilla> & { readonly known: Disposable; readonly made: string[] } {
  const kept = new Map<string, Disposable>();
  const made: string[] = [];
  const known: KnownAnswers & Disposable = {
    target: [answer(3), answer(5)],
    unrelated: [answer(2), answer(4), answer(4)],
    counts: {} as KnownAnswers["counts"],
    texts: {} as KnownAnswers["texts"],
    keep<T extends Disposable>(key: string, make: () => T) {
      if (!kept.has(key)) {
        made.push(key);
        kept.set(key, make());
      }
      return kept.get(key) as T;
    },
    [Symbol.dispose]() {
      for (const value of kept.values()) value[Symbol.dispose]();
    },
  };
  return { vanilla, known, model, made } as unknown as ReturnType<typeof subjectOf>;
}

const shares: number[] = [];
const stages = new Set<string>();
const { signal } = new AbortController();
const watcher: Watcher = {
  progress(share, stage) {
    shares.push(share);
    stages.add(stage);
  },
  remark() {},
  signal,
};

test("measures both kinds of questions, runs the vanilla model once, and gives its memory back", async () => {
  const subject = subjectOf(changed);
  const options = depthOptions.parse({ layerStride: 3, otherQuestions: 2 });
  const result = await measureDepth(subject, options, watcher);
  expect(depthSchema.parse(result)).toEqual(result);
  expect(result).toMatchObject({ depth: 4, layers: [0, 3], target: { tokens: [3, 5] }, unrelated: { tokens: [2, 4] } });
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  // Another subject on the same answers.
  expect(await measureDepth(subject, options, watcher)).toEqual(result);
  expect(subject.made).toHaveLength(2);
  subject.known[Symbol.dispose]();
});

test("finds nothing gone from the vanilla model itself", async () => {
  const subject = subjectOf(vanilla);
  using _ = subject.known;
  const { target, unrelated } = await measureDepth(subject, depthOptions.parse({}), watcher);
  for (const { patched, lens } of [target, unrelated]) {
    expect(lens.subject).toEqual(lens.vanilla);
    for (const layer of patched)
      for (const [question, logProb] of layer.entries())
        expect(logProb).toBeCloseTo(lens.vanilla.logProb.at(-1)![question]!, 4);
  }
});

test("is forecast by its stages, grows with its layers and questions, and is made shorter by a stride", async () => {
  const prompts = [tokens(6), tokens(4), tokens(5)];
  const options = depthOptions.parse({});
  const rates = await depthCost.rehearse({ vanilla, copy: changed, prompts, answerTokens: 4, signal }, options);
  const size = { depth: 30, questions: 10, tokens: 40, epochs: 1 };
  expect(Object.keys(depthCost.seconds(rates, options, size)).toSorted()).toEqual([...stages].toSorted());
  const seconds = (layerStride: number, questions: number) =>
    depthCost.seconds({ fixed: 1, each: 2 }, { ...options, layerStride }, { ...size, questions });
  const patching = "patching the residual stream";
  // After layer 0, 29 layers are left; after layer 29, none.
  expect(seconds(1, 5)[patching]).toBe((5 + 5) * 40 * (30 * 1 + ((30 * 29) / 2) * 2));
  expect(seconds(1, 15)[patching]).toBe(2 * seconds(1, 5)[patching]!);
  expect(seconds(2, 5)[patching]).toBeLessThan(0.55 * seconds(1, 5)[patching]!);
  expect(depthCost.shorter(options, size)).toEqual({ ...options, layerStride: 2 });
  expect(depthCost.shorter({ ...options, layerStride: 4 }, size)).toBeNull();
  expect(depthCost.describe({ ...options, layerStride: 3 })).toBe("a layer stride of 3");
});
