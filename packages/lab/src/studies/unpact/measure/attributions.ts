import { type Decoder, textOf } from "@lethe/decoder";
import { type AskedPrompt, attribute, MASK_TEXT } from "@lethe/unlearn";
import type { UnpactOptions } from "../options.ts";
import type { MeasuredAttribution } from "../schema.ts";

/** A question, and the tokens of an answer to it. */
export interface Scored {
  readonly asked: AskedPrompt;
  readonly answer: readonly number[];
}

/**
 * What the words of questions contribute to answers; null for an answer without tokens. A question with the same answer more than once is
 * computed once.
 * @param vanilla whose tokenizer the prompts come from
 */
export async function attributionsOf(
  model: Decoder,
  vanilla: Decoder,
  scored: readonly Scored[],
  { perturbation }: UnpactOptions,
  watch: { readonly progress: (share: number) => void; readonly signal: AbortSignal },
): Promise<(MeasuredAttribution | null)[]> {
  const keyOf = ({ asked, answer }: Scored) => `${asked.tokens.join()} ${answer.join()}`;
  const different = new Map(
    scored.filter(({ answer }) => answer.length > 0).map((question) => [keyOf(question), question]),
  );
  const maskToken = perturbation === "mask" ? (await tokensOfMask(vanilla)).at(-1) : undefined;
  const measured = await attribute(model, [...different.values()], {
    perturbation,
    ...(maskToken !== undefined && { maskToken }),
    ...watch,
  });
  const found = new Map([...different.keys()].map((key, i) => [key, measured[i]!]));
  return scored.map((question) => found.get(keyOf(question)) ?? null);
}

/** A given checkpoint may have no tokenizer of its own. */
async function tokensOfMask(vanilla: Decoder): Promise<number[]> {
  return (await textOf(vanilla)).encode(MASK_TEXT, { special: false });
}
