import { castInto, type Device, type FloatDType } from "@lethe/tensor";
import type { DecoderConfig } from "./checkpoint/config.ts";
import { emptyWeights } from "./checkpoint/empty-weights.ts";
import { type ModelFile, modelFiles, type SaveOptions, saveModel } from "./checkpoint/save.ts";
import { ModelUseError } from "./errors.ts";
import { type GenerateOptions, type Generation, generateAll } from "./generation/generate.ts";
import { type Prompt, streamText, tokensOf } from "./generation/prompts.ts";
import type { Layout } from "./pass/layout.ts";
import { Model, type ModelParts } from "./pass/model.ts";
import { makeSlots, slotsOf } from "./streamed/slots.ts";

/** A decoder-only language model on a device: its forward pass, generation and saving. */
export class Decoder<C extends DecoderConfig = DecoderConfig> extends Model<C> {
  readonly #layout: Layout;

  /** @throws {ModelUseError} when a weight is missing */
  constructor(parts: ModelParts<C>, layout: Layout) {
    super(parts, layout);
    this.#layout = layout;
  }

  /** A copy with weights of its own in f32, which can be trained. Packed weights are widened exactly. The caller disposes of it. */
  copyInF32(): Decoder<C> {
    return this.copyIn(() => "f32");
  }

  /**
   * A copy with weights of its own. The caller disposes of it.
   * @param dtypeOf gives the dtype of the copy's weight of a name. Where that is narrower, numbers are rounded to nearest
   */
  copyIn(dtypeOf: (name: string) => FloatDType): Decoder<C> {
    const copy = this.blank(this.device, dtypeOf);
    copy.takeWeights(this);
    return copy;
  }

  /**
   * A model like this one whose weights have places and no values, as `Family.blank` makes it: on a `sketchDevice` a sketch of this model. The
   * caller disposes of it.
   * @param dtypeOf gives the dtype of each of its weights, by name. Default: that of the weight here
   */
  blank(device: Device, dtypeOf?: (name: string) => FloatDType): Decoder<C> {
    const { weights, config, text, stopTokens, origin, label } = this;
    const wanted = Array.from(weights, ([name, weight]) => {
      return [name, { shape: weight.shape, dtype: dtypeOf?.(name) ?? weight.dtype }] as const;
    });
    const own = emptyWeights(device, new Map(wanted));
    return new Decoder(
      { device, config, weights: own, text, stopTokens, label, ...(origin && { origin }) },
      this.#layout,
    );
  }

  /**
   * As {@link blank}, with the places that a model has while it is streamed (`StreamedModel`): one block's weights stand for those of every block.
   */
  blankStreamed(device: Device): Decoder<C> {
    const { config, label } = this;
    const wanted = Array.from(this.weights, ([name, { shape, dtype }]) => [name, { shape, dtype }] as const);
    return new Decoder({ device, config, label, weights: makeSlots(device, slotsOf(new Map(wanted))) }, this.#layout);
  }

  /**
   * Gives each weight the numbers of another model's weight of the same name, rounded where this one is narrower.
   * @throws {ModelUseError} when the other model lacks a weight
   * @throws {ShapeError} when the shapes of a weight differ
   */
  takeWeights(from: Decoder): void {
    for (const [name, weight] of this.weights) {
      const source = from.weights.get(name);
      if (!source) throw new ModelUseError(`takeWeights: ${from.label} has no weight "${name}"`);
      castInto(weight, source);
    }
  }

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

  /** The files that {@link save} writes, for a place that is no directory, such as a browser's downloads. */
  files(options: SaveOptions = {}): Promise<ModelFile[]> {
    return modelFiles(this, options);
  }
}
