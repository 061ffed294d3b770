import type { Decoder } from "./decoder.ts";
import { ModelUseError } from "./errors.ts";
import { type GenerateOptions, generateTokens } from "./generate.ts";
import type { Text } from "./text/text.ts";

/** A prompt: text, for a model that has its tokenizer, or token ids. */
export type Prompt = string | readonly number[];

/** Token ids of a prompt. @throws {ModelUseError} for text without a tokenizer. */
export async function tokensOf(model: Decoder, prompt: Prompt): Promise<readonly number[]> {
  return typeof prompt === "string" ? textOf(model).encode(prompt) : prompt;
}

/** The model's tokenizer. @throws {ModelUseError} when it has none. */
export function textOf(model: Decoder): Text {
  if (model.text) return model.text;
  throw new ModelUseError(
    `${model.label} has no tokenizer: its directory holds no tokenizer.json, or this is a browser. Give token ids instead of text.`,
  );
}

/** Continues a prompt and yields its text piece by piece, as soon as the characters are whole. */
export async function* streamText(
  model: Decoder,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  const text = textOf(model);
  const stops = options.stop ?? model.stopTokens;
  const prefix = await tokensOf(model, prompt);
  const tokens: number[] = [];
  // Decoded behind the prompt, because a tokenizer may drop the space before a text's first word.
  const start = await text.decode(prefix);
  let shown = start.length;
  for await (const [token] of generateTokens(model, [prefix], options)) {
    if (token === null || token === undefined || stops.includes(token)) break;
    tokens.push(token);
    const whole = await text.decode([...prefix, ...tokens]);
    // Bytes of a character that is still to be completed decode to this mark.
    if (whole.endsWith("\uFFFD")) continue;
    yield whole.slice(shown);
    shown = whole.length;
  }
  const whole = await text.decode([...prefix, ...tokens]);
  if (whole.length > shown) yield whole.slice(shown);
}
