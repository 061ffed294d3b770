import type { Decoder } from "@lethe/decoder";
import type { F32 } from "@lethe/tensor";
import { unlessAborted } from "@lethe/tensor/checked";
import { packed } from "../data/batches.ts";
import { passOver } from "../methods/passes.ts";

type Texts = readonly (readonly number[])[];

interface Batching {
  readonly batchTokens: number;
  readonly progress: ((share: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** For each text, in tokens, the log-probability of each of its tokens but the first, in nats. Of one batch only a few rows of logits are in memory. */
export async function textLogProbs(
  model: Decoder,
  texts: Texts,
  { batchTokens, progress, signal }: Batching,
): Promise<number[][]> {
  const logProbs = texts.map((): number[] => []);
  const batches = batchesByLength(texts, batchTokens);
  for (const [done, batch] of batches.entries()) {
    progress?.(done / batches.length);
    await model.device.ready(signal);
    using losses = tokenLosses(
      model,
      batch.map((text) => texts[text]!),
    );
    const values = (await unlessAborted(losses.read(), signal)) as Float32Array;
    let at = 0;
    for (const text of batch) {
      const end = at + texts[text]!.length - 1;
      // 0 − x and not −x, which gives a negative zero.
      logProbs[text] = Array.from(values.subarray(at, end), (loss) => 0 - loss);
      at = end;
    }
  }
  return logProbs;
}

/** The numbers of texts in batches of similar length. Texts of one token have nothing to predict and are in none. */
function batchesByLength(texts: Texts, batchTokens: number): number[][] {
  const lengthOf = (text: number) => texts[text]!.length;
  const order = [...texts.keys()].filter((text) => lengthOf(text) > 1).sort((a, b) => lengthOf(a) - lengthOf(b));
  return packed(order, batchTokens, (batch) => lengthOf(batch.at(-1)!));
}

/** The losses of all tokens of a batch of texts but each one's first. The tensor belongs to the caller. */
function tokenLosses(model: Decoder, texts: Texts): F32 {
  using _ = model.device.scope("token groups");
  return passOver(model, texts).tokenLosses().retain();
}
