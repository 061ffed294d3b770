import type { Decoder } from "./decoder.ts";
import { ModelUseError } from "./errors.ts";
import { type GenerateOptions, generateTokens } from "./generate.ts";
import { whyNoText } from "./text/missing.ts";
import type { Text } from "./text/text.ts";

/** A prompt: text, for a model that has its tokenizer, or token ids. */
export type Prompt = string | readonly number[];

/** Token ids of a prompt. @throws {ModelUseError} for text without a tokenizer. */
export async function tokensOf(model: Decoder, prompt: Prompt): Promise<readonly number[]> {
  return typeof prompt === "string" ? (await textOf(model)).encode(prompt) : prompt;
}

/** The model's tokenizer. @throws {ModelUseError} when it has none, saying what its directory has instead. */
export async function textOf(model: Pick<Decoder, "text" | "label" | "origin">): Promise<Text> {
  if (model.text) return model.text;
  throw new ModelUseError(await whyNoText(model.label, model.origin));
}

/**
 * Continues a prompt and yields the text of each new token: empty while a later token may change it, as within a character.
 * @throws {ModelUseError} when the model has no tokenizer
 */
export async function* streamText(
  model: Decoder,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  const text = await textOf(model);
  const stops = options.stop ?? model.stopTokens;
  const tokens = await tokensOf(model, prompt);
  // Decoded with what came before it, because a tokenizer may drop the space before a text's first word.
  const stream = await text.decodeStream(tokens);
  for await (const [token] of generateTokens(model, [tokens], options)) {
    if (token === null || token === undefined || stops.includes(token)) break;
    yield await stream.step(token);
  }
  const rest = await stream.end();
  if (rest) yield rest;
}
