import { batchOf } from "@lethe/decoder";
import type { Llama } from "@lethe/llama";
import type { BenchCase } from "../../case.ts";
import { flopsPerToken, productParameters, type Subject, sequences } from "./subjects.ts";

/** Prompts through the whole model at once, with logits for the last token of each, as generation begins. */
export function prefillCase(subject: Subject, { batch, length }: { batch: number; length: number }): BenchCase {
  const { layers, layer, unembedding } = productParameters(subject);
  const tokens = batch * length;
  return {
    name: "pass prefill",
    shape: `${subject.name}, B${batch} T${length}`,
    flops: 2 * (tokens * layers * layer + batch * unembedding),
    items: { count: tokens, unit: "tokens" },
    async prepare(device) {
      const model = await subject.open(device);
      const prompts = batchOf(device, sequences(subject, batch, length));
      const last = Array.from({ length: batch }, (_, b) => prompts.row(b, -1));
      const rows = device.tensor(last, [batch], "u32", "last rows");
      return {
        run: () => model.forward(prompts, { rows }),
        async check() {
          using _ = device.scope("check");
          const [some, all] = await Promise.all([
            model.forward(prompts, { rows }).read(),
            model.forward(prompts).read(),
          ]);
          const vocabulary = some.length / batch;
          const worst = some.reduce((most, value, i) => {
            const row = last[Math.floor(i / vocabulary)]!;
            return Math.max(most, Math.abs(value - all[row * vocabulary + (i % vocabulary)]!));
          }, 0);
          if (!(worst < 1e-3))
            throw new Error(`pass prefill: logits of the last rows differ from all rows' by ${worst}`);
        },
        dispose: () => model.dispose(),
      };
    },
  };
}

const newTokens = 32;

/** Greedy generation after prompts of one token: nearly all of its time goes into decoding with a KV cache and reading back each token. */
export function decodeCase(subject: Subject, batch: number): BenchCase {
  const { layers, layer, unembedding } = productParameters(subject);
  const tokens = batch * newTokens;
  return {
    name: "pass decode",
    shape: `${subject.name}, B${batch}, ${newTokens} tokens`,
    flops: tokens * flopsPerToken(subject),
    bytes: newTokens * subject.weightBytes * (layers * layer + unembedding),
    items: { count: tokens, unit: "tokens" },
    async prepare(device) {
      const model = await subject.open(device);
      const prompts = sequences(subject, batch, 1);
      const run = () => model.generate(prompts, { maxNewTokens: newTokens, stop: [] });
      return {
        run,
        check: async () =>
          checkGreedy(
            model,
            (await run()).map(({ tokens }, b) => [...prompts[b]!, ...tokens]),
          ),
        dispose: () => model.dispose(),
      };
    },
  };
}

/** Checks that every token after the first is the likeliest in one pass over the whole sequence, or as likely. */
async function checkGreedy(model: Llama, made: readonly number[][]): Promise<void> {
  using _ = model.device.scope("check");
  const batch = batchOf(model.device, made);
  const logits = await model.forward(batch).read();
  const vocabulary = model.config.vocab_size;
  for (const [b, sequence] of made.entries()) {
    for (let t = 0; t + 1 < sequence.length; t++) {
      const row = logits.subarray(batch.row(b, t) * vocabulary, (batch.row(b, t) + 1) * vocabulary);
      const most = row.reduce((a, value) => Math.max(a, value), -Infinity);
      if (!(row[sequence[t + 1]!]! > most - 1e-3))
        throw new Error(`pass decode: token ${t + 1} of sequence ${b} is not the one that the whole pass prefers`);
    }
  }
}
