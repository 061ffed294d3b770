import {
  cast,
  crossEntropy,
  type Device,
  embedding,
  klDivergence,
  type Shape,
  softmax,
  type Tensor,
  topK,
} from "@lethe/tensor";
import { crossEntropyRows, klDivergenceRows, logSoftmaxRows } from "@lethe/testing/reference/losses";
import type { BenchCase } from "../case.ts";
import { bytesOf, checkSamples, normal } from "../inputs.ts";
import { decodeCase, forwardCase } from "./attention.ts";
import { productCase } from "./matmul.ts";

/**
 * Sizes of LLaMAs: widths of a model and of its MLP, from a tiny one to 7B; decoding of 1 and 8 sequences, prefill of 128 and 512 tokens; heads of
 * 64 and 128; vocabularies of LLaMA 2 and 3. The gate's product stands for all of a layer.
 */
const widths = [
  [96, 256],
  [2048, 5632],
  [4096, 11008],
] as const;

const products = widths.flatMap(([k, n]) =>
  [1, 8, 128, 512].flatMap((m) =>
    (["f32", "bf16"] as const).map((dtype) => productCase("planned", { m, n, k, transposeB: true, dtype }, false)),
  ),
);

/** From the model's width to a vocabulary, for one token and for a batch of eight. */
const unembeddings = [1, 8].map((m) =>
  productCase("planned", { m, n: 128_256, k: 512, transposeB: true, dtype: "bf16" }, false),
);

const heads = (width: number) => ({ heads: 8, groups: 2, width });

const attentions = [64, 128].flatMap((width) => [
  forwardCase({ batch: 1, length: 128, ...heads(width) }),
  decodeCase({ batch: 8, length: 1024, ...heads(width) }),
]);

const noShift = { reduction: "none" } as const;

/** Rows of logits over a vocabulary, for each token that is compared. */
function vocabularyCases(rows: number, vocabulary: number): BenchCase[] {
  const logits = (device: Device) => normal(device, [rows, vocabulary]);
  const shape = `${rows}×${vocabulary}`;
  const bytes = 4 * rows * vocabulary;
  const labelsOf = (device: Device) =>
    device.tensor(
      Array.from({ length: rows }, (_, i) => (i * 7919) % vocabulary),
      [rows],
      "i32",
      "labels",
    );
  return [
    {
      name: "softmax",
      shape,
      bytes: 2 * bytes,
      prepare(device) {
        const x = logits(device);
        return {
          run: () => softmax(x),
          check: async () =>
            checkSamples("softmax", softmax(x), logSoftmaxRows(await x.read(), vocabulary).map(Math.exp), 1e-7),
        };
      },
    },
    {
      name: "cross_entropy",
      shape,
      bytes,
      prepare(device) {
        const [x, labels] = [logits(device), labelsOf(device)];
        const run = () => crossEntropy(x, labels, noShift);
        return {
          run,
          async check() {
            const [values, wanted] = await Promise.all([x.read(), labels.read()]);
            await checkSamples("cross_entropy", run(), crossEntropyRows(values, wanted, vocabulary));
          },
        };
      },
    },
    {
      name: "kl_divergence",
      shape,
      bytes: 2 * bytes,
      prepare(device) {
        const [x, y, labels] = [logits(device), logits(device), labelsOf(device)];
        const run = () => klDivergence(x, y, labels, noShift);
        return {
          run,
          async check() {
            const [p, q, which] = await Promise.all([x.read(), y.read(), labels.read()]);
            await checkSamples("kl_divergence", run(), klDivergenceRows(p, q, which, vocabulary));
          },
        };
      },
    },
    {
      name: "top_k",
      shape: `8 of ${shape}`,
      bytes,
      prepare(device) {
        const x = logits(device);
        return {
          run: () => topK(x, 8),
          async check() {
            const values = await x.read();
            const sorted = (row: number) =>
              values
                .slice(row * vocabulary, (row + 1) * vocabulary)
                .sort()
                .reverse();
            await checkSamples("top_k", topK(x, 8).values, (i) => sorted(Math.floor(i / 8))[i % 8]!);
          },
        };
      },
    },
  ];
}

const [tokens, vocabulary, width] = [512, 32_000, 4096];
const idOf = (row: number) => (row * 97) % vocabulary;

/** A table that is larger than one binding of many adapters. */
const largeEmbedding: BenchCase = {
  name: "embedding",
  shape: `${tokens} of ${vocabulary}×${width} bf16`,
  bytes: tokens * (bytesOf("bf16", width) + bytesOf("f32", width)),
  prepare(device) {
    const table = device.scoped("table", () =>
      cast<Shape, "bf16">(normal(device, [vocabulary, width]), { dtype: "bf16" }),
    ) as Tensor<Shape, "bf16">;
    const ids = device.tensor(
      Uint32Array.from({ length: tokens }, (_, row) => idOf(row)),
      [tokens],
      "u32",
      "ids",
    );
    return {
      run: () => embedding(table, ids),
      async check() {
        const out = await embedding(table, ids).read();
        for (const row of [0, 255, tokens - 1]) {
          const wanted = device.empty([width], "bf16", "row");
          device.copyBytes(table, idOf(row) * 2 * width, wanted, 0, 2 * width);
          const values = await wanted.read();
          if (values.some((value, i) => value !== out[row * width + i]))
            throw new Error(`embedding: row ${row} is not the table's row ${idOf(row)}`);
        }
      },
    };
  },
};

export const llamaCases: readonly BenchCase[] = [
  ...products,
  ...unembeddings,
  ...attentions,
  ...vocabularyCases(256, 32_000),
  ...vocabularyCases(64, 128_256),
  largeEmbedding,
];
