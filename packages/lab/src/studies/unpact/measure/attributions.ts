import { type Decoder, textOf } from "@lethe/decoder";
import { type AttributedQuestion, attribute } from "@lethe/unlearn";
import type { UnpactOptions } from "../options.ts";
import type { MeasuredAttribution } from "../schema.ts";

/**
 * What the words of questions contribute to answers; null for an answer without tokens. A question with the same answer more than once is
 * computed once.
 * @param vanilla whose tokenizer the prompts come from: a given checkpoint may have none of its own
 */
export async function attributionsOf(
  model: Decoder,
  vanilla: Decoder,
  scored: readonly AttributedQuestion[],
  { perturbation }: UnpactOptions,
  watch: { readonly progress: (share: number) => void; readonly signal: AbortSignal },
): Promise<(MeasuredAttribution | null)[]> {
  const keyOf = ({ asked, answer }: AttributedQuestion) => `${asked.tokens.join()} ${answer.join()}`;
  const different = new Map(
    scored.filter(({ answer }) => answer.length > 0).map((question) => [keyOf(question), question]),
  );
  const tokenizer = await textOf(vanilla);
  const measured = await attribute(model, [...different.values()], { perturbation, tokenizer, ...watch });
  const found = new Map([...different.keys()].map((key, i) => [key, measured[i]!]));
  return scored.map((question) => found.get(keyOf(question)) ?? null);
}
