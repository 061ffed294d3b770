import { Hooks } from "@lethe/hooks";
import { type Device, type F32, type FloatDType, type MemoryNeed, requireMemory, type Weight } from "@lethe/tensor";
import type { DecoderConfig } from "../checkpoint/config.ts";
import type { ModelPlace } from "../checkpoint/directory.ts";
import { emptyWeights, type WantedWeight } from "../checkpoint/empty-weights.ts";
import type { Family } from "../checkpoint/family.ts";
import { fillInTurn, fillWeights, inFileOrder } from "../checkpoint/fill-weights.ts";
import { type FoundWeight, findWeights, floats } from "../checkpoint/find-weights.ts";
import { type OpenModel, type OpenOptions, openModel } from "../checkpoint/open-model.ts";
import type { Watch } from "../checkpoint/progress.ts";
import { weightMemory } from "../checkpoint/read-weights.ts";
import type { Decoder } from "../decoder.ts";
import { ModelUseError } from "../errors.ts";
import type { Batch } from "../pass/batch.ts";
import type { ForwardOptions } from "../pass/pass.ts";
import type { Text } from "../text/text.ts";
import { hooksOfPart } from "./hooks-of-part.ts";
import { bytesOfSlots, layerOf, makeSlots, type Slot, slotsOf } from "./slots.ts";

/** What of a forward pass can be asked of a model that is streamed. */
export interface StreamedForwardOptions extends Pick<ForwardOptions, "hooks" | "rows">, Watch {}

/**
 * A model whose weights stay in its files, for work that reads each of them once: a pass, or a comparison. A pass has one block's weights on
 * the device at a time. While the device computes a block, the next one is read from the files, in pieces; the queue is in order, so a second
 * place for weights would win nothing. Between two calls the device holds nothing of the model, and the host no weight.
 */
export class StreamedModel<C extends DecoderConfig = DecoderConfig> {
  readonly device: Device;
  readonly config: C;
  readonly text: Text | undefined;
  readonly stopTokens: readonly number[];
  /** The model's name in errors. */
  readonly label: string;
  /** Shape and dtype of each weight by Hugging Face's name, in the order of the file: as they are on the device when they are there. */
  readonly weights: ReadonlyMap<string, WantedWeight>;
  readonly #opened: OpenModel<C, Family<C, never>>;
  readonly #found: readonly FoundWeight[];
  readonly #slots: readonly Slot[];

  /** @param opened belongs to the model now */
  constructor(device: Device, opened: OpenModel<C, Family<C, never>>, found: readonly FoundWeight[]) {
    this.device = device;
    this.#opened = opened;
    this.#found = found;
    this.config = opened.config;
    this.text = opened.text;
    this.stopTokens = opened.stopTokens;
    this.label = opened.label;
    const wanted = (weights: readonly FoundWeight[]) =>
      new Map(weights.map(({ name, shape, stored }) => [name, { shape, dtype: floats[stored] }]));
    this.weights = wanted(inFileOrder(opened.checkpoint, found));
    this.#slots = slotsOf(wanted(found));
  }

  /**
   * Runs the model, with the bits of `forward` of the loaded model.
   * @returns logits `[B, T, V]`, or `[R, V]` with `rows`; they belong to the caller
   * @throws {HookError} when a hook does not fit the pass
   * @throws {ModelUseError} when the batch does not fit the model
   * @throws {OutOfMemoryError} before the first weight is read when those of a block and those outside the blocks do not fit the device
   * @throws the reason of `signal` when it is aborted
   */
  async forward(batch: Batch, { hooks = new Hooks(), rows, ...watch }: StreamedForwardOptions = {}): Promise<F32> {
    const { device, config, label } = this;
    const { checkpoint, family } = this.#opened;
    requireMemory(device, `a streamed pass of ${label}`, this.memory());
    const weights = makeSlots(device, this.#slots);
    using model = family.create({ device, config, weights, label });
    const depth = config.num_hidden_layers;
    const all = model.hookPoints();
    hooksOfPart(hooks, all, all); // A hook without a point shows before a weight is read.
    let stream: F32 | undefined;
    const run = (layer: number) => {
      const part = stream && { fromLayer: layer, resid: stream };
      const end = layer < depth ? { upTo: layer + 1 } : rows && { rows };
      const points = model.hookPoints({ ...part, ...(layer < depth && { upTo: layer + 1 }) });
      using _ = device.scope(`streamed block ${layer}`);
      const made = model.forward(batch, { ...part, ...end, hooks: hooksOfPart(hooks, points, all) }).retain();
      stream?.dispose();
      stream = made;
    };
    try {
      const order = this.#inTurn();
      const left = new Map<number | null, number>();
      for (const { name } of order) left.set(layerOf(name), (left.get(layerOf(name)) ?? 0) + 1);
      const filling = fillInTurn(device, checkpoint, order, ({ name }) => weights.get(name)!, watch);
      for await (const { name } of filling) {
        const layer = layerOf(name);
        left.set(layer, left.get(layer)! - 1);
        if (layer !== null && left.get(layer) === 0) run(layer);
      }
      run(depth);
      await device.idle();
      return stream!;
    } catch (error) {
      stream?.dispose();
      throw error;
    }
  }

  /**
   * Reads one weight. It belongs to no scope; the caller disposes of it.
   * @throws {ModelUseError} when there is none of this name
   */
  async weight(name: string, watch: Watch = {}): Promise<Weight> {
    const { device } = this;
    const found = this.#found.find((weight) => weight.name === name);
    if (!found) throw new ModelUseError(`${this.label} has no weight "${name}"`);
    const weight = device.lasting(found.shape, floats[found.stored], name);
    try {
      await fillWeights(device, this.#opened.checkpoint, [found], () => weight, watch);
      return weight;
    } catch (error) {
      weight.dispose();
      throw error;
    }
  }

  /**
   * Gives each weight of a loaded model this one's numbers, as `takeWeights` does.
   * @throws {ModelUseError} when it lacks a weight, or has another one's shape
   */
  async giveWeights(model: Decoder, watch: Watch = {}): Promise<void> {
    const { checkpoint } = this.#opened;
    for (const [name, { shape }] of this.weights) {
      const other = model.weights.get(name)?.shape;
      if (`${other}` !== `${shape}`)
        throw new ModelUseError(
          `${name} is [${shape}] in ${this.label} and ${other ? `[${other}]` : "absent"} in ${model.label}`,
        );
    }
    const order = inFileOrder(checkpoint, this.#found);
    await fillWeights(this.device, checkpoint, order, ({ name }) => model.weights.get(name)!, watch);
  }

  /**
   * A model whose weights have places and no values, as `Decoder.blank` makes it: on a `sketchDevice`, to plan with. The caller disposes of it.
   * @param dtypeOf gives the dtype of each weight, by name. Default: that in the files
   */
  blank(device: Device, dtypeOf?: (name: string) => FloatDType): Decoder<C> {
    const { config, text, stopTokens, label } = this;
    const { checkpoint, family, origin } = this.#opened;
    // Weights lie on the device as those of a loaded model do, so that what goes through all of them in one dispatch has the same bits.
    const wanted = inFileOrder(checkpoint, this.#found).map(({ name, shape, stored }) => {
      return [name, { shape, dtype: dtypeOf?.(name) ?? floats[stored] }] as const;
    });
    const weights = emptyWeights(device, new Map(wanted));
    return family.create({ device, config, weights, text, stopTokens, origin, label });
  }

  /**
   * Loads the model as a whole. The caller disposes of it.
   * @param dtypeOf gives the dtype of the weight of a name on the device. Where that is narrower, numbers are rounded to nearest
   * @throws {OutOfMemoryError} before a weight is read when they do not fit the device
   */
  async copyIn(dtypeOf: (name: string) => FloatDType, watch: Watch = {}): Promise<Decoder<C>> {
    const { device, label } = this;
    const needs = Array.from(this.weights, ([name, { shape }]) => weightMemory(name, shape, dtypeOf(name)));
    requireMemory(device, label, needs);
    const model = this.blank(device, dtypeOf);
    try {
      await this.giveWeights(model, watch);
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** The weights that a pass has on the device, for `requireMemory`: one block's, and those outside the blocks. Activations come to it. */
  memory(): MemoryNeed[] {
    return bytesOfSlots(this.device, this.#slots).map(([place, bytes]) => ({
      part: layerOf(place) === null ? "streamed embedding, norm and unembedding" : "streamed block",
      name: place,
      bytes,
    }));
  }

  /** Closes the files. */
  close(): Promise<void> {
    return this.#opened.close();
  }

  /** Weights in the order in which a pass needs them; those of one block in the order of the file. */
  #inTurn(): FoundWeight[] {
    const ordered = inFileOrder(this.#opened.checkpoint, this.#found);
    const turn = ({ name }: FoundWeight) => layerOf(name) ?? -1;
    return ordered.toSorted((a, b) => turn(a) - turn(b));
  }
}

/**
 * Opens a model that is to be streamed from its place; see {@link StreamedModel}. Whoever opens it closes it.
 * @param choose the family of a `config.json`; it is also given what to call that file in an error
 * @throws as `loadDecoder`, but that no memory of the device is needed
 */
export async function streamDecoder<C extends DecoderConfig, I extends object>(
  device: Device,
  place: ModelPlace,
  choose: (config: Readonly<Record<string, unknown>>, where: string) => Family<C, I>,
  options: OpenOptions = {},
): Promise<StreamedModel<C>> {
  const opened = await openModel<C, I, Family<C, I>>(place, choose, options);
  const { checkpoint, shapes, stored, close } = opened;
  try {
    const found = findWeights(checkpoint, shapes, stored.sources, stored.ignore, options.warn ?? console.warn);
    return new StreamedModel(device, opened, found);
  } catch (error) {
    await close();
    throw error;
  }
}
