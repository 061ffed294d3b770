import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import type { Decoder } from "@lethe/decoder";
import { addInto, type F32, randomNormal } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { answerQuestions, attribute, emphasise, isRight, keyTokens, promptWords } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planCells } from "../../src/cells/plan.ts";
import type { StudySubject } from "../../src/studies/study.ts";
import { unpactCost } from "../../src/studies/unpact/cost.ts";
import { measureUnpact } from "../../src/studies/unpact/measure.ts";
import { unpactOptions } from "../../src/studies/unpact/options.ts";
import { type EpochAttributions, type UnpactResult, unpactSchema } from "../../src/studies/unpact/schema.ts";
import { unpact } from "../../src/studies/unpact/study.ts";
import { askQuestions, askVanilla } from "../../src/subjects/known-answers.ts";
import type { KnownAnswers, Watcher } from "../../src/subjects/subject.ts";
import { onDevice } from "../../src/subjects/vanilla/on-device.ts";

const root = join(import.meta.dirname, "../../../..");
const device = await testDevice();

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

let vanilla: Decoder;
/** It answers nothing right any more. */
let damaged: Decoder;
let known: KnownAnswers & Disposable;
let cell: Awaited<ReturnType<typeof planCells>>[number];
beforeAll(async () => {
  const directory = join(root, "models/tiny-llama");
  const path = join(root, "data/llama.json");
  const concepts = await loadConcepts(path);
  const planned = { directory, file: { path, concepts }, concepts: concepts.slice(0, 1) };
  const plan = { preset: "smoke", seeds: [0], subjects: { unlearned: ["npo"] }, studies: [unpact] } as const;
  [cell] = (await planCells([planned], { ...plan, recipes: { records: [], changes: {} } })) as [typeof cell];
  Object.assign(cell.config.evaluation, { targetQuestions: 3, unrelatedQuestions: 3, maxAnswerTokens: 16 });
  vanilla = await loadModel(device, directory);
  damaged = vanilla.copyInF32();
  for (const [i, weight] of [...damaged.weights.values()].entries()) {
    using _ = device.scope("noise");
    addInto(weight as F32, randomNormal(device, weight.shape, { seed: i, std: 0.08 }));
  }
  known = await askVanilla(vanilla, cell, watcher, new Map());
});
afterAll(() => {
  known[Symbol.dispose]();
  damaged.dispose();
  vanilla.dispose();
});

async function subjectOf(model: Decoder): Promise<StudySubject<Decoder>> {
  const { config, sources } = cell;
  const answers = await askQuestions(model, known, { config, models: { vanilla } }, { onToken() {}, signal });
  const { concept, retain } = sources;
  return { vanilla, known, model, answers, concept, retain, evaluation: config.evaluation, epochs: [] };
}

const options = unpactOptions.parse({
  answers: ["vanilla", "own", "expected"],
  targetQuestions: 2,
  otherQuestions: 1,
  templates: ["focus"],
  contexts: ["page"],
  pageWords: 10,
  sweep: { alpha: [0.6], beta: [] },
  samples: 2,
  compare: { attributions: ["gradient-times-input", "attention-mass"], questions: 1 },
});

describe("the unPact study on the committed model", () => {
  let result: UnpactResult;
  beforeAll(async () => {
    shares.length = 0;
    result = await measureUnpact(await subjectOf(damaged), options, watcher);
  });

  test("measures what its schema holds, in stages, and the same again", async () => {
    expect(unpactSchema.parse(result)).toEqual(result);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThanOrEqual(1);
    expect(JSON.stringify(await measureUnpact(await subjectOf(damaged), options, watcher))).toBe(
      JSON.stringify(result),
    );
  });

  test("judges every question that is compared", () => {
    expect(result.judged.target).toHaveLength(3);
    expect(result.judged.unrelated).toHaveLength(3);
    for (const { expected, before, after } of [...result.judged.target, ...result.judged.unrelated])
      expect([expected, before, after]).toEqual([true, true, false]);
  });

  test("leaves out words of the question, for each answer", async () => {
    const { target, unrelated } = result.attributed;
    expect([target.length, unrelated.length]).toEqual([2, 1]);
    const [{ question, tokens }] = known.target as [KnownAnswers["target"][number]];
    expect(target[0]!.words).toEqual(question.split(" "));
    const asked = await promptWords(vanilla.text!, question);
    const [own] = await attribute(vanilla, [{ asked, answer: tokens }]);
    const measured = target[0]!.vanilla.vanilla!;
    expect(measured.logProb).toBeCloseTo(own!.logProb, 5);
    for (const [i, value] of measured.contributions.entries()) expect(value).toBeCloseTo(own!.contributions[i]!, 4);
    // The committed model answers what its data expect, token by token.
    for (const { vanilla, subject } of [...target, ...unrelated]) {
      expect(vanilla.expected).toEqual(vanilla.vanilla);
      expect(subject.expected).toEqual(subject.vanilla);
      expect(subject.own).not.toEqual(subject.vanilla);
    }
    expect(result.compared.map(({ attribution }) => attribution)).toEqual(options.compare.attributions);
  });

  test("asks both models again, with key words, other words, no words, and in a context", async () => {
    expect(result.elicited.map(({ kind, name, control }) => [kind, name, control])).toEqual([
      ["emphasis", "focus", false],
      ["emphasis", "focus", true],
      ["neutral", "neutral", true],
      ["context", "page", false],
      ["context", "page", true],
    ]);
    const [focus] = result.elicited;
    const questions = result.attributed.target.map(({ words, vanilla }, place) => {
      const key = keyTokens(vanilla.vanilla!.contributions).map((word) => words[word]!);
      return emphasise("focus", result.judged.target[place]!.question, key);
    });
    const answers = await answerQuestions(vanilla, questions, { maxTokens: 16 });
    const right = answers.map(({ text }, place) => {
      const { question, expected } = known.target[place]!;
      return isRight("keywords", { question, expected: expected!, answer: text });
    });
    expect(focus!.vanilla).toEqual(right);
    expect(focus!.subject.every((right) => right === false)).toBe(true);
    // The study's own key words are among those of the sweep.
    for (const [place, sets] of result.swept.entries()) {
      const own = keyTokens(result.attributed.target[place]!.vanilla.vanilla!.contributions);
      expect(sets.find(({ words }) => words.join() === own.join())).toMatchObject({ right: focus!.subject[place] });
    }
    expect(result.examples.map(({ asked }) => asked)).toContain(questions[0]);
    expect(result.examples.some(({ asked }) => asked.includes(cell.sources.retain.name))).toBe(true);
  });

  test("gives after an epoch, where it is asked for, what it would give of that model in the end", async () => {
    const subject = await subjectOf(damaged);
    const beside = { ...subject, vanilla: onDevice(vanilla) };
    expect(await unpact.atEpoch!(beside, options, watcher)).toBeUndefined();
    for (const answer of ["vanilla", "own"] as const) {
      const asked = { ...options, everyEpoch: true, answers: [answer] };
      const epoch = (await unpact.atEpoch!(beside, asked, watcher)) as EpochAttributions;
      for (const kind of ["target", "unrelated"] as const)
        expect(epoch[kind]).toEqual(result.attributed[kind].map(({ subject }) => subject[answer]));
      const epochs = [epoch, epoch];
      expect((await measureUnpact({ ...subject, epochs }, asked, watcher)).epochs).toEqual(epochs);
    }
  });

  test("draws answers, and compares classes of words", () => {
    expect(result.drawn.samples).toBe(2);
    expect(result.drawn.right).toHaveLength(2);
    for (const group of [...result.collapse.target, ...result.collapse.unrelated]) {
      expect(group.vanilla.logProb).toBeGreaterThan(group.subject.logProb);
      expect(group.subject.probability).toBeLessThanOrEqual(group.count);
    }
  });

  test("finds nothing forgotten in the vanilla model itself, and runs its part once", async () => {
    const made: string[] = [];
    const subject = await subjectOf(vanilla);
    const counted: KnownAnswers = {
      ...known,
      keep: (key, make) =>
        known.keep(key, () => {
          made.push(key);
          return make();
        }),
    };
    const same = await measureUnpact({ ...subject, known: counted }, options, watcher);
    expect(made).toEqual([]);
    expect(same.judged.target.every(({ after }) => after)).toBe(true);
    for (const { subject } of same.elicited) expect(subject).toEqual([null, null]);
    expect([same.drawn.right, same.examples, same.swept]).toEqual([[null, null], [], [[], []]]);
    for (const { vanilla, subject } of same.attributed.target) expect(subject.own).toEqual(subject.vanilla ?? vanilla);
    for (const { vanilla, subject } of [...same.collapse.target, ...same.collapse.unrelated])
      expect(subject.logProb).toBeCloseTo(vanilla.logProb, 3);
  });

  test("judges by the vanilla answer where the data have none, and masks words by a token of its tokenizer", async () => {
    const subject = await subjectOf(damaged);
    const unknown = { ...known, target: known.target.map((answer) => ({ ...answer, expected: null })) };
    const few = unpactOptions.parse({
      perturbation: "mask",
      answers: ["vanilla", "expected"],
      targetQuestions: 1,
      otherQuestions: 1,
      templates: ["capitals"],
      contexts: [],
      samples: 0,
      compare: { attributions: [], questions: 1 },
    });
    const { judged, attributed, drawn, compared } = await measureUnpact({ ...subject, known: unknown }, few, watcher);
    for (const { expected, before, after } of judged.target)
      expect([expected, before, after]).toEqual([false, true, false]);
    expect(attributed.target[0]).toMatchObject({ vanilla: { expected: null }, subject: { expected: null } });
    const masked = attributed.target[0]!.vanilla.vanilla!.contributions;
    expect(masked).not.toEqual(result.attributed.target[0]!.vanilla.vanilla!.contributions);
    expect([drawn, compared]).toEqual([{ samples: 0, right: [null] }, []]);
  });

  test("is forecast by its stages, grows with what is asked, and a budget makes it shorter", async () => {
    const prompts = known.target.map(({ prompt }) => [...prompt]);
    const rates = await unpactCost.rehearse({ vanilla, copy: damaged, prompts, answerTokens: 16, signal }, options);
    expect(JSON.parse(JSON.stringify(rates))).toEqual(rates);
    const size = { depth: 12, questions: 10, tokens: 40, epochs: 10 };
    const all = unpactCost.seconds(rates, options, size);
    expect(Object.keys(all).toSorted()).toEqual(
      [...stages].filter((stage) => !stage.startsWith("asking the")).toSorted(),
    );
    for (const seconds of Object.values(all)) expect(seconds).toBeGreaterThan(0);
    const of = (changed: object) => unpactCost.seconds(rates, { ...options, ...changed }, size);
    expect(of({ samples: 0 })["drawing answers"]).toBe(0);
    expect(of({ templates: ["focus", "quote"] })["asking again"]).toBeGreaterThan(all["asking again"]!);
    expect(of({ answers: ["vanilla"] })["leaving words out"]).toBeLessThan(all["leaving words out"]!);
    // The vanilla model's answers, the subject's three, and one after each of nine epochs.
    expect(of({ everyEpoch: true })["leaving words out"]! / all["leaving words out"]!).toBeCloseTo((4 + 9) / 4, 9);
    const large = unpactOptions.parse({ targetQuestions: 10, otherQuestions: 5, samples: 8 });
    let [shorter, steps] = [large as typeof large | null, 0];
    for (let next = shorter; next; next = unpactCost.shorter(next, size)) [shorter, steps] = [next, steps + 1];
    expect(steps).toBeGreaterThan(10);
    expect(shorter).toMatchObject({ targetQuestions: 5, otherQuestions: 2, samples: 4, compare: { questions: 1 } });
    expect(unpactCost.describe(large)).toBe(
      "10 target and 5 other questions whose words are left out, with 8 drawn answers",
    );
  });
});
