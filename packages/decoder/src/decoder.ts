import type { DecoderConfig } from "./checkpoint/config.ts";
import { type SaveOptions, saveModel } from "./checkpoint/save.ts";
import { type GenerateOptions, type Generation, generateAll } from "./generation/generate.ts";
import { type Prompt, streamText, tokensOf } from "./generation/prompts.ts";
import { Model } from "./pass/model.ts";

/** A decoder-only language model on a device: its forward pass, generation and saving. */
export class Decoder<C extends DecoderConfig = DecoderConfig> extends Model<C> {
  /**
   * Continues prompts together, greedily unless `temperature` is given.
   * @returns for each prompt its new tokens and, where the model has its tokenizer, their text
   * @throws {ModelUseError} for text without a tokenizer, or options outside their range
   * @throws the reason of `signal` when it is aborted
   */
  async generate(
    prompts: readonly Prompt[],
    options: GenerateOptions = {},
  ): Promise<(Generation & { readonly text: string | undefined })[]> {
    const sequences = await Promise.all(prompts.map((prompt) => tokensOf(this, prompt)));
    const made = await generateAll(this, sequences, options);
    return Promise.all(made.map(async (one) => ({ ...one, text: await this.text?.decode(one.tokens) })));
  }

  /**
   * Continues one prompt and yields the text of each new token: empty while a later token may change it, as within a character.
   * @throws {ModelUseError} when the model has no tokenizer
   * @throws the reason of `signal` when it is aborted
   */
  stream(prompt: Prompt, options: GenerateOptions = {}): AsyncGenerator<string, void, undefined> {
    return streamText(this, prompt, options);
  }

  /**
   * Writes the model as Hugging Face's directory: `config.json`, `model.safetensors` or shards and their index, and the tokenizer's files
   * where the model has any. An interrupted save leaves no half of a checkpoint.
   * @throws {ModelError} in a browser, or where the directory cannot be replaced
   */
  save(directory: string, options: SaveOptions = {}): Promise<void> {
    return saveModel(this, directory, options);
  }
}
