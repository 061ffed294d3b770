import { initLlama } from "@lethe/llama";
import { testDevice } from "@lethe/testing/device";
import { type Array64, array64, float64Ops } from "@lethe/testing/float64";
import { slope } from "@lethe/testing/gradient";
import { random } from "@lethe/testing/random";
import { config, inputs, lossOf, parameters } from "@lethe/testing/tiny-model";
import { test } from "vitest";
import { type AttributedQuestion, gradientTimesInput, integratedGradients } from "../../src/index.ts";
import { expectAgree } from "./questions.ts";

const device = await testDevice();
/** The angles of {@link inputs} are 0.3 ** i: theta ** (−2i / D) with D = 4. */
const theta = 0.3 ** -2;
const steps = 5;

test("both agree with central differences of the model in float64", async () => {
  const weights = parameters();
  using model = initLlama(
    device,
    {
      vocab_size: config.vocabulary,
      hidden_size: config.width,
      intermediate_size: config.hidden,
      num_hidden_layers: config.layers,
      num_attention_heads: config.heads,
      num_key_value_heads: config.groups,
      rms_norm_eps: 1e-5,
      rope_theta: theta,
    },
    0,
  );
  for (const [name, weight] of model.weights)
    device.writeBytes(weight, 0, new Uint8Array(Float32Array.from(weights[name]!.values).buffer));

  // No token comes twice, so that the row of the embedding is the embedding at its only place.
  const tokens = Array.from({ length: config.vocabulary }, (_, token) => ({ token, at: random() }));
  const [a, b, c, d, e, f, g, h] = tokens.toSorted((x, y) => x.at - y.at).map(({ token }) => token) as number[];
  const questions: AttributedQuestion[] = [
    {
      asked: {
        question: "x y",
        tokens: [a!, b!, c!],
        words: [
          { text: "x", tokens: [0, 1] },
          { text: "y", tokens: [2] },
        ],
      },
      answer: [d!, e!],
    },
    { asked: { question: "z", tokens: [f!, g!], words: [{ text: "z", tokens: [0] }] }, answer: [h!] },
  ];

  // As lossOf has its batch: five columns, of which the second sequence leaves the first two to padding.
  const given = inputs();
  const toFloat64 = ({ shape, values }: { shape: readonly number[]; values: ArrayLike<number> }) =>
    array64(shape, Array.from(values));
  const w = Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, toFloat64(value)]));
  const embedding = w["model.embed_tokens.weight"]!.data;
  const original = embedding.slice();
  const ids = array64([2, 5], [a!, b!, c!, d!, e!, 0, 0, f!, g!, h!]);
  const positions = array64([2, 5], [0, 1, 2, 3, 4, 0, 0, 0, 1, 2]);
  const rows = [[2, 3], [8]];
  const logProb = (question: number) => {
    const labels = array64([2, 5], Array<number>(10).fill(-100));
    for (const [k, row] of rows[question]!.entries()) labels.data[row] = questions[question]!.answer[k]!;
    const x = { ids, positions, labels, starts: toFloat64(given.starts), table: toFloat64(given.table) };
    return -(lossOf(float64Ops, w as never, x as never) as unknown as Array64).data[0]!;
  };
  /** Gradient · (embedding − baseline) of each word, where words are a share of the way from the baseline. */
  const scores = (question: number, share: number, baseline: (i: number) => number) => {
    const { tokens: prompt, words } = questions[question]!.asked;
    const elements = words.map(({ tokens }) =>
      tokens.flatMap((place) =>
        Array.from({ length: config.width }, (_, i) => ({ at: prompt[place]! * config.width + i, i })),
      ),
    );
    for (const { at, i } of elements.flat()) embedding[at] = baseline(i) + share * (original[at]! - baseline(i));
    const found = elements.map((own) =>
      own.reduce(
        (sum, { at, i }) => sum + slope(() => logProb(question), embedding, at) * (original[at]! - baseline(i)),
        0,
      ),
    );
    embedding.set(original);
    return found;
  };
  expectAgree(
    await gradientTimesInput(model, questions),
    questions.map((_, question) => scores(question, 1, () => 0)),
  );
  const baseline = Float32Array.from({ length: config.width }, (_, i) => Math.sin(i + 1) / 4);
  expectAgree(
    await integratedGradients(model, questions, { baseline, steps }),
    questions.map((_, question) => {
      const at = Array.from({ length: steps }, (_, step) => (step + 0.5) / steps);
      const each = at.map((t) => scores(question, t * t, (i) => baseline[i]!).map((score) => (score * 2 * t) / steps));
      return each.reduce((sum, own) => sum.map((value, word) => value + own[word]!));
    }),
  );
});
