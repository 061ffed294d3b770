import { Captures, Hooks, type Site } from "@lethe/hooks";
import type { Shape, Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { warmLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import {
  ALIGNMENTS,
  type AnsweredQuestion,
  figure1,
  figure3,
  type MeasuredRestoration,
  questionBatch,
  type RecordedRun,
  runVanilla,
  type Setting,
  type SweepOptions,
  settings,
  sweepRestoration,
  windowAround,
} from "../../src/index.ts";

const device = await testDevice();
const vanilla = warmLlama(device, 1);
const unlearned = warmLlama(device, 2);
afterAll(() => {
  vanilla.dispose();
  unlearned.dispose();
});

const tokens = (count: number) => Array.from({ length: count }, () => integer(2, 52));
const questions: AnsweredQuestion[] = [
  { prompt: tokens(7), answer: tokens(5) },
  { prompt: tokens(4), answer: tokens(1) },
  { prompt: tokens(9), answer: tokens(6) },
];

/** Mean over rows and vocabulary of squared differences, in float64. */
function meanSquare(a: Float32Array, b: Float32Array, rows: readonly number[], width: number): number {
  let sum = 0;
  for (const row of rows) for (let v = 0; v < width; v++) sum += (a[row * width + v]! - b[row * width + v]!) ** 2;
  return sum / (rows.length * width);
}

/** A setting, for those of tests to differ from. */
const [isolatedM] = figure3;

/** A sweep over the questions with a vanilla run of its own. */
async function sweep(options: Partial<SweepOptions> = {}) {
  using laid = questionBatch(device, questions);
  using run = runVanilla(vanilla, laid);
  return await sweepRestoration({ unlearned, questions: laid, run, radius: 1, ...options });
}

describe("sweepRestoration", () => {
  test("equals full passes compared row by row, in every setting, window and alignment", async () => {
    using laid = questionBatch(device, questions);
    using run = runVanilla(vanilla, laid);
    const radius = 1;
    const losses = await sweepRestoration({ unlearned, questions: laid, run, radius });

    const [, length] = laid.batch.ids.shape;
    const width = vanilla.config.vocab_size;
    using captures = new Captures();
    using own = new Captures();
    const both = (into: Captures) => ({ hooks: new Hooks().capture("m", into).capture("A", into) });
    const reference = await vanilla.forward(laid.batch, both(captures)).read();
    const rowsOf = (question: number, alignment: "paper" | "released") => {
      const { answer } = questions[question]!;
      const end = (question + 1) * length - (alignment === "paper" ? 1 : 0);
      return answer.map((_, i) => end - answer.length + i);
    };
    const expectLosses = (logits: Float32Array, got: (alignment: "paper" | "released") => number[], label: string) => {
      for (const alignment of ALIGNMENTS) {
        const expected = questions.map((_, q) => meanSquare(logits, reference, rowsOf(q, alignment), width));
        expectClose(got(alignment), expected, { rtol: 1e-4, atol: 1e-9, label: `${label} (${alignment})` });
      }
    };
    expectLosses(await unlearned.forward(laid.batch, both(own)).read(), (alignment) => losses.base[alignment], "base");
    const after = (window: number[]) => [0, 1, 2, 3].filter((layer) => layer > window.at(-1)!);
    /** Everything in these layers as it is in the unlearned model's own run. */
    const held = (layers: number[], ...sites: Site[]) =>
      sites.reduce(
        (hooks, site) => layers.reduce((list, layer) => list.freeze(site, [layer], own), hooks),
        new Hooks(),
      );
    const expected: Record<keyof typeof losses.restored, (window: number[]) => Hooks> = {
      m: (window) => new Hooks().restore("m", window, captures),
      W_V: (window) => new Hooks().restore("W_V", window, vanilla),
      A: (window) => new Hooks().restore("A", window, captures),
      "m+A": (window) => new Hooks().restore("m", window, captures).restore("A", window, captures),
      "m-isolated": (window) => held(after(window), "m", "A").restore("m", window, captures).freeze("A", window, own),
      "A-isolated": (window) => held(after(window), "m", "A").restore("A", window, captures).freeze("m", window, own),
      "W_V-isolated": (window) => held([...window, ...after(window)], "m", "A").restore("W_V", window, vanilla),
    };
    for (const { name } of settings) {
      for (let centre = 0; centre < 4; centre++) {
        const hooks = expected[name](windowAround(centre, radius, 4));
        const logits = await unlearned.forward(laid.batch, { hooks }).read();
        expectLosses(logits, (alignment) => losses.restored[name][alignment][centre]!, `${name} around ${centre}`);
      }
    }
  });

  test("restores around every second or fifth layer with the numbers of a sweep around all", async () => {
    const whole = await sweep();
    expect([whole.depth, whole.centres]).toEqual([4, [0, 1, 2, 3]]);
    const { centres, restored } = await sweep({ stride: 2 });
    expect(centres).toEqual([0, 2]);
    for (const { name } of settings)
      for (const alignment of ALIGNMENTS)
        expectClose(
          restored[name][alignment].flat(),
          centres.flatMap((centre) => whole.restored[name][alignment][centre]!),
          { rtol: 1e-5, atol: 1e-9, label: `${name} (${alignment})` },
        );
    expect((await sweep({ stride: 5 })).centres).toEqual([0]);
  });

  test("has the same numbers whether windows share passes or not, also for settings that cannot share them", async () => {
    const later: Setting<"later m"> = {
      ...isolatedM,
      name: "later m",
      own: [],
      hooks: ({ window, vanilla }) => new Hooks().restore("m", window, vanilla, { positions: [-1, 3, 5] }),
    };
    const halved: Setting<"halved M"> = {
      ...isolatedM,
      name: "halved M",
      vanilla: [],
      own: [],
      hooks: ({ window }) => new Hooks().scale("M", 0.5, { layers: window }),
    };
    const swept = [...settings, later, halved] as const;
    const before = device.memory().bytesInUse;
    const by = async (together: number) => {
      using laid = questionBatch(device, questions);
      using run = runVanilla(vanilla, laid, swept);
      return await sweepRestoration({ unlearned, questions: laid, run, radius: 1, settings: swept, together });
    };
    const alone = await by(1);
    for (const together of [2, 3, 4]) {
      const got = await by(together);
      for (const { name } of swept)
        for (const alignment of ALIGNMENTS)
          expectClose(got.restored[name][alignment].flat(), alone.restored[name][alignment].flat(), {
            rtol: 1e-5,
            atol: 1e-9,
            label: `${name} (${alignment}), ${together} together`,
          });
    }
    expect(device.memory().bytesInUse).toBe(before);
    expect(Math.min(...alone.restored["halved M"].paper.flat())).toBeGreaterThan(0);
  });

  test("refuses a hook before the window, where the pass does not come", async () => {
    const early: Setting<"early"> = {
      ...isolatedM,
      name: "early",
      hooks: ({ window, own }) => new Hooks().freeze("A", [0, ...window.filter((layer) => layer > 0)], own),
    };
    using laid = questionBatch(device, questions);
    using run = runVanilla(vanilla, laid, [early]);
    await expect(sweepRestoration({ unlearned, questions: laid, run, radius: 0, settings: [early] })).rejects.toThrow(
      "layer 0 was asked for, and this run has layers 1 to 3",
    );
  });

  test("hands over each restoration's losses as they are read", async () => {
    const seen: MeasuredRestoration[] = [];
    const { base, restored, centres } = await sweep({ measured: (one) => seen.push(one), together: 2 });
    expect(seen).toHaveLength(settings.length * centres.length);
    for (const one of seen) {
      expect(one.base).toBe(base);
      for (const alignment of ALIGNMENTS)
        expect(one.losses[alignment]).toBe(restored[one.setting.name][alignment][centres.indexOf(one.centre)]);
    }
  });

  test("finds nothing to recover where nothing was changed, and the same bits twice", async () => {
    expect((await sweep({ unlearned: vanilla })).base.paper).toEqual([0, 0, 0]);
    expect(await sweep()).toEqual(await sweep());
  });

  test("questions that are repeated for a pass outlive the scope in which they were first wanted", () => {
    using batch = questionBatch(device, questions);
    {
      using _ = device.scope("a pass");
      batch.repeated(2);
    }
    expect(batch.repeated(2).batch.ids.released).toBe(false);
    expect(batch.repeated(2).batch.ids.shape[0]).toBe(2 * questions.length);
  });

  test("runs beside another sweep and beside a generation, with the same numbers as alone", async () => {
    const wide = { radius: 2 };
    const prompts = [tokens(5), tokens(3)];
    const generate = () => vanilla.generate(prompts, { maxNewTokens: 12, stop: [] });
    const alone = [await sweep(), await sweep(wide), await generate()];
    const before = device.memory().bytesInUse;
    expect(await Promise.all([sweep(), sweep(wide), generate()])).toEqual(alone);
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("stops at a loss that is not finite, with the pass and the question", async () => {
    const before = device.memory().bytesInUse;
    const hooks = () => new Hooks().scale("logits", 3e38).scale("logits", 1e30);
    const infinite: Setting<"infinite"> = { ...isolatedM, name: "infinite", vanilla: [], own: [], hooks };
    await expect(sweep({ settings: [infinite as Setting as (typeof settings)[number]] })).rejects.toThrow(
      "restore infinite around layer 0: the loss of question 0 is",
    );
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("stops when it is told to, with the reason that it was given", async () => {
    const controller = new AbortController();
    const stop = new Error("enough");
    const shares: number[] = [];
    const progress = (share: number, { name }: Setting) => {
      shares.push(share);
      if (name === "W_V") controller.abort(stop);
    };
    const before = device.memory().bytesInUse;
    await expect(sweep({ progress, signal: controller.signal, settings: figure1 })).rejects.toBe(stop);
    expect(device.memory().bytesInUse).toBe(before);
    expect(shares[0]).toBe(0);
    expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b));
    // One of the four settings was done, and the next had begun.
    expect(shares.at(-1)).toBeCloseTo(1 / 4, 10);
  });

  test("restoring m, W_V and A everywhere leaves only the embedding, the norms and the unembedding changed", async () => {
    const swap = (name: string, from: Tensor<Shape>) =>
      device.copyBytes(from, 0, unlearned.weights.get(name)!, 0, from.bytes);
    for (const [name, weight] of vanilla.weights) if (!name.includes("layers.")) swap(name, weight);
    const all: Setting<"all"> = {
      ...isolatedM,
      name: "all",
      vanilla: ["m", "A"],
      own: [],
      hooks: ({ window, vanilla }) =>
        ["m", "W_V", "A"].reduce((hooks, site) => hooks.restore(site, window, vanilla), new Hooks()),
    };
    using laid = questionBatch(device, questions);
    using run: RecordedRun = runVanilla(vanilla, laid, [all]);
    const { base, restored } = await sweepRestoration({ unlearned, questions: laid, run, radius: 4, settings: [all] });
    expect(Math.max(...restored.all.paper.flat())).toBeLessThan(1e-12);
    expect(Math.min(...base.paper)).toBeGreaterThan(1e-6);
  });
});

test("a window covers the centre and its neighbours, clipped at the ends", () => {
  expect(windowAround(5, 2, 12)).toEqual([3, 4, 5, 6, 7]);
  expect(windowAround(0, 2, 12)).toEqual([0, 1, 2]);
  expect(windowAround(11, 2, 12)).toEqual([9, 10, 11]);
  expect(windowAround(1, 9, 3)).toEqual([0, 1, 2]);
  expect(windowAround(2, 0, 3)).toEqual([2]);
});
