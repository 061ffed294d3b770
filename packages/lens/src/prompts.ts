import { type Decoder, type Prompt, textOf, tokensOf } from "@lethe/decoder";
import { LetheError } from "@lethe/tensor";
import { checkedAsync, text } from "@lethe/tensor/checked";
import { decoder } from "./kinds.ts";

/** One prompt or several: texts, for a model that has its tokenizer, or token ids. */
export type Prompts = Prompt | readonly Prompt[];

/** Token ids of each prompt. @throws {ModelUseError} for text without a tokenizer */
export function sequencesOf(model: Decoder, prompts: Prompts): Promise<(readonly number[])[]> {
  const one = typeof prompts === "string" || typeof prompts[0] === "number";
  const list = one ? [prompts as Prompt] : (prompts as readonly Prompt[]);
  return Promise.all(list.map((prompt) => tokensOf(model, prompt)));
}

/**
 * The token that a text is, special tokens left out: `await singleToken(model, " Paris")`.
 * @throws {LetheError} when the text is no token or several; the message shows them
 * @throws {ModelUseError} for a model without a tokenizer
 * @function
 */
export const singleToken = checkedAsync(
  "singleToken",
  { model: decoder, text },
  async (model: Decoder, text: string): Promise<number> => {
    const tokenizer = await textOf(model);
    const tokens = await tokenizer.encode(text, { special: false });
    if (tokens.length === 1) return tokens[0]!;
    const parts = await Promise.all(tokens.map((token) => tokenizer.decode([token])));
    const shown = parts.map((part) => JSON.stringify(part)).join(", ");
    throw new LetheError(`singleToken: ${JSON.stringify(text)} is ${tokens.length} tokens (${shown}); expected one`);
  },
);
