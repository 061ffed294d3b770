import { batchOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import type { Llama } from "@lethe/llama";
import type { Shape, Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALIGNMENTS } from "../../src/metrics/index.ts";
import {
  type AnsweredQuestion,
  questionBatch,
  runVanilla,
  SETTINGS,
  sitesOf,
  sweepRestoration,
  windowAround,
} from "../../src/restoration/index.ts";

const device = await testDevice();
let vanilla: Llama;
let unlearned: Llama;

beforeAll(() => {
  vanilla = smallLlama(device, 1);
  unlearned = smallLlama(device, 2);
  // A model keeps its rotary table once it has one; it should be there before a test counts bytes.
  using _ = device.scope("warm-up");
  for (const model of [vanilla, unlearned]) model.forward(batchOf(device, [[1]]));
});
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

/** Mean over rows and vocabulary of squared differences, in float64, with no help from the code under test. */
function meanSquare(a: Float32Array, b: Float32Array, rows: readonly number[], width: number): number {
  let sum = 0;
  for (const row of rows) for (let v = 0; v < width; v++) sum += (a[row * width + v]! - b[row * width + v]!) ** 2;
  return sum / (rows.length * width);
}

describe("sweepRestoration", () => {
  test("equals full passes compared row by row, in every setting, window and alignment", async () => {
    using laid = questionBatch(device, questions);
    using run = runVanilla(vanilla, laid);
    const radius = 1;
    const losses = await sweepRestoration({ vanilla, unlearned, questions: laid, run, radius });

    const [, length] = laid.batch.ids.shape;
    const width = vanilla.config.vocab_size;
    using captures = new Captures();
    const recorded = vanilla.forward(laid.batch, { hooks: new Hooks().capture("m", captures).capture("A", captures) });
    const reference = await recorded.read();
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
    expectLosses(await unlearned.forward(laid.batch).read(), (alignment) => losses.base[alignment], "base");
    for (const setting of SETTINGS) {
      for (let centre = 0; centre < 4; centre++) {
        let hooks = new Hooks();
        for (const site of sitesOf[setting])
          hooks = hooks.restore(site, windowAround(centre, radius, 4), site === "W_V" ? vanilla : captures);
        const logits = await unlearned.forward(laid.batch, { hooks }).read();
        expectLosses(
          logits,
          (alignment) => losses.restored[setting][alignment][centre]!,
          `${setting} around ${centre}`,
        );
      }
    }
  });

  test("finds nothing to recover where nothing was changed, and the same bits twice", async () => {
    using laid = questionBatch(device, questions);
    using run = runVanilla(vanilla, laid);
    const same = await sweepRestoration({ vanilla, unlearned: vanilla, questions: laid, run, radius: 2 });
    expect(same.base.paper).toEqual([0, 0, 0]);
    const sweep = () => sweepRestoration({ vanilla, unlearned, questions: laid, run, radius: 2 });
    expect(await sweep()).toEqual(await sweep());
  });

  test("restoring m and A everywhere leaves only the embedding, the norms and the unembedding changed", async () => {
    using laid = questionBatch(device, questions);
    using run = runVanilla(vanilla, laid);
    const swap = (name: string, from: Tensor<Shape>) =>
      device.copyBytes(from, 0, unlearned.weights.get(name)!, 0, from.bytes);
    for (const [name, weight] of vanilla.weights) if (!name.includes("layers.")) swap(name, weight);
    const everywhere = await sweepRestoration({ vanilla, unlearned, questions: laid, run, radius: 4 });
    // What is left differs through W_V alone, which reads the restored m: restoring that too would give the vanilla logits.
    const withValues = new Hooks()
      .restore("W_V", [0, 1, 2, 3], vanilla)
      .restore("m", [0, 1, 2, 3], run.captures)
      .restore("A", [0, 1, 2, 3], run.captures);
    const full = unlearned.forward(laid.batch, { hooks: withValues, rows: laid.rows });
    expectClose(await full.read(), await run.logits.read(), { atol: 1e-6 });
    expect(Math.max(...everywhere.restored["m+A"].paper.flat())).toBeGreaterThan(0);
  });
});
