import { batchOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import type { Llama } from "@lethe/llama";
import type { F32 } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama, warmLlama } from "@lethe/testing/llama";
import { integer, normal } from "@lethe/testing/random";
import { afterAll, describe, expect, test } from "vitest";
import {
  answerTokens,
  logitLens,
  type PatchOptions,
  patchStreams,
  type RecordedStreams,
  recordStreams,
  type TokenQuestion,
} from "../../src/index.ts";

const device = await testDevice();
const vanilla = warmLlama(device, 1);
const unlearned = warmLlama(device, 2);
afterAll(() => {
  vanilla.dispose();
  unlearned.dispose();
});

const tokens = (count: number) => Array.from({ length: count }, () => integer(2, 52));
const questions: TokenQuestion[] = [
  { prompt: tokens(7), answer: tokens(5), measured: [1, 2, 4] },
  { prompt: tokens(4), answer: tokens(1) },
  { prompt: tokens(9), answer: tokens(6), measured: [0, 5] },
];
const measuredOf = ({ answer, measured }: TokenQuestion) => measured ?? [...answer.keys()];

/** A row's log-probability of a label, in float64. */
function logProbOf(row: ArrayLike<number>, label: number): number {
  const all = Array.from(row);
  const largest = all.reduce((a, b) => Math.max(a, b));
  return row[label]! - largest - Math.log(all.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A question alone, without padding: the mean log-probability of its tokens when hooks act on the vanilla model's full pass. */
async function plain(question: TokenQuestion, hooks: Hooks): Promise<number> {
  using _ = device.scope("plain");
  const { prompt, answer } = question;
  const logits = vanilla.forward(batchOf(device, [[...prompt, ...answer]]), { hooks }).retain();
  const values = await logits.read();
  logits.dispose();
  const width = vanilla.config.vocab_size;
  return mean(
    measuredOf(question).map((place) => {
      const row = prompt.length + place - 1;
      return logProbOf(values.subarray(row * width, (row + 1) * width), answer[place]!);
    }),
  );
}

/** Patches the streams of a model, or given ones, into the vanilla model. */
async function patch(from: Llama | RecordedStreams, options: Partial<PatchOptions> = {}) {
  using answers = answerTokens(device, questions);
  using own = recordStreams(vanilla, answers);
  const source = "after" in from ? from : recordStreams(from, answers);
  try {
    return await patchStreams({ vanilla, answers, own, source, ...options });
  } finally {
    if (source !== from) source[Symbol.dispose]();
  }
}

async function lens(model: Llama, through: Llama) {
  using answers = answerTokens(device, questions);
  return await logitLens(model, answers, { through });
}

describe("patchStreams", () => {
  test("equals full passes of one question each, patched by hooks at the rows that predict its tokens", async () => {
    const { layers, patched } = await patch(unlearned);
    expect(layers).toEqual([0, 1, 2, 3]);
    for (const [i, question] of questions.entries()) {
      const { prompt, answer } = question;
      using seen = new Captures();
      {
        using _ = device.scope("source");
        const hooks = new Hooks().capture("resid_post", seen);
        unlearned.forward(batchOf(device, [[...prompt, ...answer]]), { hooks, upTo: "resid" });
      }
      const positions = measuredOf(question).map((place) => prompt.length + place - 1);
      const wanted = [];
      for (const layer of layers)
        wanted.push(await plain(question, new Hooks().restore("resid_post", [layer], seen, { positions })));
      expectClose(
        patched.map(({ logProb }) => logProb[i]!),
        wanted,
        { rtol: 2e-4 },
      );
    }
  });

  test("changes nothing when a model's own stream is put in, to the bit", async () => {
    const { patched } = await patch(vanilla, { together: 1 });
    const own = await lens(vanilla, vanilla);
    for (const readings of patched) expect(readings).toEqual(own.at(-1));
  });

  test("after the last layer gives what the vanilla model reads from the other model's stream, to the bit", async () => {
    const { patched } = await patch(unlearned);
    expect(patched.at(-1)).toEqual((await lens(unlearned, vanilla)).at(-1));
  });

  test("changes the rows that predict measured tokens, and no other", async () => {
    using answers = answerTokens(device, questions);
    using own = recordStreams(vanilla, answers);
    const { shape } = own.after[0]!;
    const [, columns, width] = shape as readonly [number, number, number];
    const asked = questions.flatMap((question, b) =>
      measuredOf(question).map((place) => {
        const end = b * columns + columns;
        return end - question.answer.length + place - 1;
      }),
    );
    expect(answers.places).toEqual(asked);
    /** The vanilla streams with noise in some rows. */
    const noisy = async (rows: (row: number) => boolean): Promise<RecordedStreams> => {
      const after: F32[] = [];
      for (const stream of own.after) {
        const values = await stream.read();
        const noise = normal(values.length);
        for (let i = 0; i < values.length; i++) if (rows(Math.floor(i / width))) values[i]! += noise[i]!;
        after.push(device.tensor(values, shape, "f32", "noisy stream"));
      }
      return { label: "noise", after, [Symbol.dispose]: () => after.forEach((stream) => void stream.dispose()) };
    };
    const base = (await lens(vanilla, vanilla)).at(-1)!.logProb;
    using elsewhere = await noisy((row) => !asked.includes(row));
    for (const { logProb } of (await patch(elsewhere, { together: 1 })).patched) expect(logProb).toEqual(base);
    // In the rows of the second question alone.
    const second = asked[measuredOf(questions[0]!).length]!;
    using there = await noisy((row) => row === second);
    for (const { logProb } of (await patch(there, { together: 1 })).patched) {
      expect([logProb[0], logProb[2]]).toEqual([base[0], base[2]]);
      expect(logProb[1]).not.toBe(base[1]);
    }
  });

  test("gives the same side by side as one by one, and every second layer as every layer", async () => {
    const alone = await patch(unlearned, { together: 1 });
    for (const together of [2, 3, 8]) {
      const { patched } = await patch(unlearned, { together });
      for (const [layer, { logProb }] of patched.entries()) expectClose(logProb, alone.patched[layer]!.logProb);
    }
    const sparse = await patch(unlearned, { together: 1, stride: 2 });
    expect(sparse.layers).toEqual([0, 2]);
    expect(sparse.patched).toEqual([alone.patched[0], alone.patched[2]]);
  });

  test("gives its memory back, also when it is stopped, and counts its work from 0 to 1", async () => {
    const before = device.memory().bytesInUse;
    const shares: number[] = [];
    await patch(unlearned, { progress: (share) => shares.push(share), together: 2 });
    expect(shares[0]).toBe(0);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
    const controller = new AbortController();
    const stop = new Error("enough");
    const progress = (share: number) => share > 0.3 && controller.abort(stop);
    await expect(patch(unlearned, { progress, signal: controller.signal })).rejects.toBe(stop);
    expect(device.memory().bytesInUse).toBe(before);
  });

  test("refuses a model of other layers, and says where a log-probability is not finite", async () => {
    using short = smallLlama(device, 3, { num_hidden_layers: 2 });
    await expect(patch(short)).rejects.toThrow("has 2 layers and llama has 4");
    using answers = answerTokens(device, questions);
    using streams = recordStreams(vanilla, answers);
    const nan = device.tensor(
      new Float32Array(streams.after[0]!.size).fill(Number.NaN),
      streams.after[0]!.shape,
      "f32",
      "NaN",
    );
    const after = [...streams.after.slice(0, 3), nan];
    await expect(patch({ ...streams, label: "broken", after })).rejects.toThrow(
      "llama with the stream of broken after layer 3: the log-probability of answer 0 is NaN",
    );
    nan.dispose();
  });
});

describe("logitLens", () => {
  test("equals the norm and the unembedding in float64 on each layer's stream", async () => {
    using answers = answerTokens(device, questions);
    using streams = recordStreams(unlearned, answers);
    const { hidden_size: width, vocab_size: vocabulary, rms_norm_eps: eps } = vanilla.config;
    const norm = await vanilla.weights.get("model.norm.weight")!.read();
    const head = await vanilla.weights.get("lm_head.weight")!.read();
    const readings = await logitLens(unlearned, answers, { through: vanilla, streams });
    for (const [layer, stream] of streams.after.entries()) {
      const values = await stream.read();
      const each = answers.places.map((row, i) => {
        const x = Array.from(values.subarray(row * width, (row + 1) * width));
        const scale = 1 / Math.sqrt(mean(x.map((value) => value * value)) + eps);
        const logits = Array.from({ length: vocabulary }, (_, v) =>
          x.reduce((sum, value, d) => sum + value * scale * norm[d]! * head[v * width + d]!, 0),
        );
        const label = answers.labels[i]!;
        return { logProb: logProbOf(logits, label), first: Number(logits.every((logit) => logit <= logits[label]!)) };
      });
      expectClose(readings[layer]!.logProb, answers.perQuestion(each.map(({ logProb }) => logProb)));
      expect(readings[layer]!.first).toEqual(answers.perQuestion(each.map(({ first }) => first)));
    }
  });

  test("through the model itself ends with what the model says, on a vocabulary that is read in pieces too", async () => {
    for (const size of [{}, { vocab_size: 270_001 }]) {
      using model = smallLlama(device, 4, { ...size, num_hidden_layers: 1 });
      // 27 rows: of a large vocabulary, 16 are a piece.
      const long = Array.from({ length: 3 }, () => ({ prompt: tokens(3), answer: tokens(9) }));
      using answers = answerTokens(device, long);
      const last = (await logitLens(model, answers)).at(-1)!;
      using logits = model.forward(answers.questions.batch, { rows: answers.rows });
      const values = await logits.read();
      const { vocab_size: width } = model.config;
      const wanted = answers.labels.map((label, i) => logProbOf(values.subarray(i * width, (i + 1) * width), label));
      expectClose(last.logProb, answers.perQuestion(wanted), { rtol: 2e-4 });
    }
  });
});

test("a measured token must be one of the answer's, in order", () => {
  const measure = (measured: number[]) => () => answerTokens(device, [{ prompt: [2], answer: [3, 4, 5], measured }]);
  for (const measured of [[], [3], [-1], [1, 1], [2, 0]])
    expect(measure(measured)).toThrow(
      `the measured tokens are [${measured}]; expected ascending places in its answer of 3`,
    );
});
