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

/**
 * Continues a prompt and yields the text of each new token: empty while the bytes of a character are still to come.
 * @throws {ModelUseError} when the model has no tokenizer
 */
export function streamText(
  model: Decoder,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<string, void, undefined> {
  return pieces(model, textOf(model), prompt, options);
}

async function* pieces(model: Decoder, text: Text, prompt: Prompt, options: GenerateOptions) {
  const stops = options.stop ?? model.stopTokens;
  const tokens = [...(await tokensOf(model, prompt))];
  // Decoded with what came before it, because a tokenizer may drop the space before a text's first word.
  let shown = (await text.decode(tokens)).length;
  let whole = "";
  for await (const [token] of generateTokens(model, [[...tokens]], options)) {
    if (token === null || token === undefined || stops.includes(token)) break;
    tokens.push(token);
    whole = await text.decode(tokens);
    // Bytes of a character that is not complete decode to this mark.
    const end = whole.endsWith("\uFFFD") ? shown : whole.length;
    yield whole.slice(shown, end);
    shown = end;
  }
  if (whole.length > shown) yield whole.slice(shown);
}
