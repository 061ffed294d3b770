import { ModelUseError } from "../errors.ts";
import type { Model } from "../pass/model.ts";
import { whyNoText } from "../text/missing.ts";
import type { Text } from "../text/text.ts";
import { type GenerateOptions, generateTokens } from "./generate.ts";

/** A prompt: text, for a model that has its tokenizer, or token ids. */
export type Prompt = string | readonly number[];

/** Token ids of a prompt. @throws {ModelUseError} for text without a tokenizer. */
export async function tokensOf(model: Model, prompt: Prompt): Promise<readonly number[]> {
  return typeof prompt === "string" ? (await textOf(model)).encode(prompt) : prompt;
}

/** The model's tokenizer. @throws {ModelUseError} when the model has none. The message says what its directory has instead. */
export async function textOf(model: Pick<Model, "text" | "label" | "origin">): Promise<Text> {
  if (model.text) return model.text;
  throw new ModelUseError(await whyNoText(model.label, model.origin));
}

/** Continues a prompt and yields the text of each new token; see `Decoder.stream`. */
export async function* streamText(
  model: Model,
  prompt: Prompt,
  options: GenerateOptions,
): AsyncGenerator<string, void, undefined> {
  const text = await textOf(model);
  const stops = options.stop ?? model.stopTokens;
  const tokens = await tokensOf(model, prompt);
  // The prompt is decoded too: a tokenizer may drop the space before a text's first word.
  const stream = await text.decodeStream(tokens);
  for await (const [token] of generateTokens(model, [tokens], options)) {
    if (token === null || token === undefined || stops.includes(token)) break;
    yield await stream.step(token);
  }
  const rest = await stream.end();
  if (rest) yield rest;
}
