import { type HookPoint, HookSession, pointsOf, type Site, type TensorSource } from "@lethe/hooks";
import { type Device, type F32, type Folder, ops as kernels, type Tensor, type Weight } from "@lethe/tensor";
import type { Batch } from "./batch.ts";
import { absentSites, type Block, type BlockStyle, runBlock } from "./block.ts";
import type { DecoderConfig } from "./config.ts";
import { ModelUseError } from "./errors.ts";
import { type GenerateOptions, type Generation, generateAll } from "./generate.ts";
import { KVCache } from "./kv-cache.ts";
import type { Linear } from "./linear.ts";
import { modules } from "./names.ts";
import { type Norm, normalizeAt } from "./norm.ts";
import type { ForwardOptions, Pass } from "./pass.ts";
import { type Prompt, streamText, tokensOf } from "./prompts.ts";
import { readRope } from "./rope.ts";
import { RotaryTables } from "./rotary-tables.ts";
import { type SaveOptions, saveModel } from "./save.ts";
import { Stages } from "./stages.ts";
import type { Text } from "./text/text.ts";

/** What a decoder is made of. */
export interface DecoderParts<C extends DecoderConfig> {
  readonly device: Device;
  readonly config: C;
  /** By Hugging Face's names. The decoder takes them over and disposes of them. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly text?: Text | undefined;
  /** Tokens that end a generation. */
  readonly stopTokens?: readonly number[];
  /** Where it was read from, for the files that go with it when it is saved. */
  readonly origin?: Folder;
  /** What to call it in errors. Default: the family's name. */
  readonly label?: string;
}

/**
 * A decoder-only language model on a device: the part that families share. A family says what normalises where. A model is also
 * where `restore("W_V", layers, model)` takes parameters from.
 */
export abstract class Decoder<C extends DecoderConfig = DecoderConfig> implements TensorSource, Disposable {
  readonly device: Device;
  readonly config: C;
  /** By Hugging Face's names. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Text to tokens and back, where the model's directory has a tokenizer. */
  readonly text: Text | undefined;
  readonly stopTokens: readonly number[];
  readonly origin: Folder | undefined;
  readonly label: string;
  readonly #rotary: RotaryTables;

  constructor({ device, config, weights, text, stopTokens, origin, label }: DecoderParts<C>) {
    this.device = device;
    this.config = config;
    this.weights = weights;
    this.text = text;
    this.stopTokens = stopTokens ?? [];
    this.origin = origin;
    this.label = label ?? config.model_type;
    // A config that was checked has no fault.
    this.#rotary = new RotaryTables(device, readRope(config).rope!);
  }

  /** What normalises where in a block. */
  protected abstract blockStyle(layer: number): BlockStyle;
  /** What normalises the last residual stream. */
  protected abstract finalNorm(): Norm;

  /**
   * Runs the model. Nothing is read back: the result is on the device and belongs to the innermost open scope, or to the caller.
   * @returns logits `[B, T, V]`, or `[R, V]` with `rows`; with `upTo: "resid"` the residual stream `[B, T, d]`
   * @throws {HookError} before the run when a hook does not fit it, and after it when a hook did not fire
   * @throws {ModelUseError} when batch, cache and options do not fit each other or the model
   */
  forward(batch: Batch, options: ForwardOptions = {}): F32 {
    const { ops = kernels, cache, rows, wrapBlock, resid, fromLayer = 0, upTo = "logits" } = options;
    this.#check(batch, options);
    const [, length] = batch.ids.shape;
    const points = this.hookPoints(options);
    const hooks = new HookSession(options.hooks, { points, ops, length });
    // With a cache nothing is recorded that could read the table later.
    using fresh = cache && this.#rotary.ownAt(batch.span) ? this.#rotary.fresh(batch.span) : null;
    const pass: Pass = {
      ops,
      hooks,
      batch,
      cache,
      rotary: fresh ?? this.#rotary.kept(batch.span),
      scoped: (label, work) => this.device.scoped(label, work),
    };
    using stages = new Stages(this.device);
    stages.step(
      "embed",
      () => resid ?? hooks.at("embed", null, ops.embedding(this.weight(modules.embedding), batch.ids)),
    );
    for (let layer = fromLayer; layer < this.config.num_hidden_layers; layer++) {
      const run = (x: F32) => runBlock(pass, layer, x, this.#block(layer));
      stages.step(`block ${layer}`, (x) => (wrapBlock ? wrapBlock(layer, x, run) : run(x)));
    }
    if (upTo === "logits") {
      stages.step("unembed", (x) => {
        const wanted = rows ? ops.gatherRows(ops.reshape(x, { shape: [x.size / x.shape[2]!, x.shape[2]!] }), rows) : x;
        const normalized = normalizeAt(pass, "ln_final", null, wanted, this.finalNorm());
        const { unembedding, embedding } = modules;
        const table = this.weight(this.config.tie_word_embeddings ? embedding : unembedding);
        return hooks.at("logits", null, ops.linear(normalized, table));
      });
    }
    hooks.finish();
    if (cache) cache.length += length;
    return stages.take();
  }

  /** Hook points in the order of the forward pass: all of them, or those that a run over part of the model comes to. */
  hookPoints({ fromLayer, upTo = "logits" }: Pick<ForwardOptions, "fromLayer" | "upTo"> = {}): HookPoint[] {
    const layers = { first: fromLayer ?? 0, end: this.config.num_hidden_layers };
    const points = pointsOf(layers, absentSites(this.blockStyle(0)));
    return points.filter(({ site, layer }) => {
      if (layer !== null) return true;
      return site === "embed" ? fromLayer === undefined : upTo === "logits";
    });
  }

  /** The parameter at a hook point: the value vectors. Activations are no part of a model. */
  tensorAt(site: Site, layer: number | null): Tensor | undefined {
    return site === "W_V" && layer !== null ? this.weights.get(`${modules.down(layer)}.weight`) : undefined;
  }

  /** An empty cache for `batch` sequences and `capacity` columns. It belongs to the caller. */
  newCache(batch: number, capacity: number): KVCache {
    const { num_hidden_layers: layers, num_key_value_heads: groups, head_dim: width } = this.config;
    return new KVCache(this.device, { layers, batch, capacity, groups, width });
  }

  /**
   * Continues prompts together, greedily unless `temperature` is given.
   * @returns for each prompt its new tokens and, where the model has its tokenizer, their text
   * @throws {ModelUseError} for text without a tokenizer, or options outside their range
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
   */
  stream(prompt: Prompt, options: GenerateOptions = {}): AsyncGenerator<string, void, undefined> {
    return streamText(this, prompt, options);
  }

  /**
   * Writes the model as Hugging Face's directory: `config.json`, `model.safetensors` or shards and their index, and the tokenizer's files
   * where it has any. Whatever interrupts it, no half of a checkpoint is left.
   * @throws {ModelError} in a browser, or where the directory cannot be replaced
   */
  save(directory: string, options: SaveOptions = {}): Promise<void> {
    return saveModel(this, directory, options);
  }

  /** Releases the weights. */
  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
    this.#rotary.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A module's weight. @throws {ModelUseError} when the model has none of that name. */
  protected weight(module: string): Weight {
    const weight = this.weights.get(`${module}.weight`);
    if (!weight) throw new ModelUseError(`${this.label} has no weight "${module}.weight"`);
    return weight;
  }

  #linear(module: string): Linear {
    return { weight: this.weight(module), bias: this.weights.get(`${module}.bias`) };
  }

  #block(layer: number): Block {
    const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: width } = this.config;
    const { attention, mlp } = this.blockStyle(layer);
    return {
      attention: {
        heads,
        groups,
        width,
        query: this.#linear(modules.query(layer)),
        key: this.#linear(modules.key(layer)),
        value: this.#linear(modules.value(layer)),
        output: this.#linear(modules.output(layer)),
        ...attention,
      },
      mlp: {
        gate: this.#linear(modules.gate(layer)),
        up: this.#linear(modules.up(layer)),
        down: this.#linear(modules.down(layer)),
        ...mlp,
      },
    };
  }

  #check(batch: Batch, { ops = kernels, cache, resid, fromLayer }: ForwardOptions): void {
    const { vocab_size: vocabulary, num_hidden_layers: layers, hidden_size: width } = this.config;
    const [count, length] = batch.ids.shape;
    const refuse = (why: string) => {
      throw new ModelUseError(`forward of ${this.label}: ${why}`);
    };
    if (batch.largestId >= vocabulary)
      refuse(`token ${batch.largestId} is outside its vocabulary of ${vocabulary}; is this the model's own tokenizer?`);
    if ((fromLayer === undefined) !== (resid === undefined))
      refuse("fromLayer and resid go together: the layer to start at, and the residual stream that enters it");
    if (fromLayer !== undefined && !(Number.isInteger(fromLayer) && fromLayer >= 0 && fromLayer < layers))
      refuse(`fromLayer is ${fromLayer}, and its layers are 0 to ${layers - 1}`);
    if (resid && `${resid.shape}` !== `${[count, length, width]}`)
      refuse(`resid is [${resid.shape}], and this batch needs [${[count, length, width]}]`);
    if (batch.behind !== (cache?.length ?? 0))
      refuse(`this batch goes on after ${batch.behind} cached columns, and the cache holds ${cache?.length ?? 0}`);
    if (!cache) return;
    if (ops.records)
      refuse("these `ops` record gradients, and what is written into a KV cache has none; leave out the cache");
    if (cache.length + length > cache.capacity)
      refuse(`${length} more columns do not fit the cache: ${cache.length} of its ${cache.capacity} are filled`);
    const gap = batch.firsts.findIndex((first, b) => first + batch.lengths[b]! !== length);
    if (gap >= 0) refuse(`sequence ${gap} ends before the batch does; a cache needs sequences padded on the left`);
  }
}
