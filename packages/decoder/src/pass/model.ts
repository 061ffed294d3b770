import { type HookPoint, HookSession, pointsOf, type Site, type TensorSource } from "@lethe/hooks";
import {
  type Device,
  type F32,
  type Folder,
  fusedOf,
  ops as kernels,
  type MemoryNeed,
  type Ops,
  type Reduction,
  type Shape,
  Tensor,
  type Weight,
} from "@lethe/tensor";
import type { DecoderConfig } from "../checkpoint/config.ts";
import { ModelUseError } from "../errors.ts";
import type { Text } from "../text/text.ts";
import type { Batch } from "./batch.ts";
import { absentSites, runBlock, type TakeRows } from "./block.ts";
import { cacheMemory, KVCache, type KVCacheShape } from "./cache.ts";
import { type Layout, type Modules, modules as moduleNames, modulesOf } from "./layout.ts";
import { type PassSizes, passMemory, type TapedPasses, tapedMemory } from "./memory.ts";
import { normalize, normalizeAt } from "./modules.ts";
import type { ForwardOptions, Pass } from "./pass.ts";
import { readRope } from "./rope.ts";
import { RotaryTables } from "./rotary-tables.ts";
import { Stages } from "./stages.ts";

/** What a model is made of. */
export interface ModelParts<C extends DecoderConfig> {
  readonly device: Device;
  readonly config: C;
  /** By Hugging Face's names. The model takes them over and disposes of them. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly text?: Text | undefined;
  /** Tokens that end a generation. Default: none. */
  readonly stopTokens?: readonly number[];
  /** The directory that the model was read from: saving the model copies files from there. */
  readonly origin?: Folder;
  /** The model's name in errors. Default: its `model_type`. */
  readonly label?: string;
}

/** A decoder-only language model on a device, and its forward pass. */
export class Model<C extends DecoderConfig = DecoderConfig> implements TensorSource, Disposable {
  readonly device: Device;
  readonly config: C;
  /** By Hugging Face's names. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Text to tokens and back, where the model's directory has a tokenizer. */
  readonly text: Text | undefined;
  readonly stopTokens: readonly number[];
  readonly origin: Folder | undefined;
  readonly label: string;
  /** The weights where the forward pass uses them. */
  readonly modules: Modules;
  readonly #rotary: RotaryTables;

  /** @throws {ModelUseError} when a weight is missing */
  constructor({ device, config, weights, text, stopTokens, origin, label }: ModelParts<C>, layout: Layout) {
    this.device = device;
    this.config = config;
    this.weights = weights;
    this.text = text;
    this.stopTokens = stopTokens ?? [];
    this.origin = origin;
    this.label = label ?? config.model_type;
    this.modules = modulesOf(config, layout, weights);
    // checkConfig has made sure that the rotary fields are right.
    this.#rotary = new RotaryTables(device, readRope(config).rope!);
  }

  /**
   * Runs the model. Nothing is read back: the result is on the device and belongs to the innermost open scope, or to the caller.
   * @returns logits `[B, T, V]`, or `[R, V]` with `rows`; with another `upTo` the residual stream `[B, T, d]`, or `[R, d]` with `rows`
   * @throws {HookError} before the run when a hook does not fit it, and after it when a hook did not fire
   * @throws {ModelUseError} when batch, cache and options do not fit each other or the model
   */
  forward(batch: Batch, options: ForwardOptions = {}): F32 {
    return this.#run(batch, options, (pass, rows) => pass.hooks.at("logits", null, logitsOf(pass, rows, this.modules)));
  }

  /**
   * The cross-entropy of the logits that {@link forward} gives and of labels. Logits that are large are never whole in memory, and neither is
   * their gradient, but where a hook wants them.
   * @param labels of the positions whose logits would be computed: `[B, T]`, or `[R]` with `rows`. One of −100 does not count
   * @returns as `ops.crossEntropy` reduces it: `[B, T]` or `[R]`, `[B]`, or a scalar
   */
  losses(
    batch: Batch,
    labels: Tensor<Shape, "i32">,
    { reduction, ...options }: Omit<ForwardOptions, "upTo"> & { readonly reduction: Reduction },
  ): F32 {
    const { unembedding, finalNorm } = this.modules;
    return this.#run(batch, options, (pass, rows) => {
      const { ops, hooks } = pass;
      const normalized = normalizeAt(pass, "ln_final", null, rows, finalNorm);
      if (!hooks.wants("logits", null)) return ops.linearCrossEntropy(normalized, unembedding, labels, { reduction });
      return ops.crossEntropy(hooks.at("logits", null, ops.linear(normalized, unembedding)), labels, { reduction });
    });
  }

  /** Runs the model. @param end makes the result of a run to the logits from the residual stream at its rows */
  #run(batch: Batch, options: ForwardOptions, end: (pass: Pass, rows: F32) => F32): F32 {
    const { ops = kernels, cache, rows, wrapBlock, resid, fromLayer = 0, upTo = "logits" } = options;
    this.#check(batch, options);
    const { embedding, blocks } = this.modules;
    const [, length] = batch.ids.shape;
    cache?.reserve(cache.length + length);
    const { cachedColumns, sequences } = batch;
    const points = this.hookPoints(options);
    const hooks = new HookSession(options.hooks, { points, ops, length, cachedColumns, sequences, rows });
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
    const take = rows && takeRows(ops, rows);
    const inBlock = rows && fromLayer < blocks.length && rows.size <= FEW_ROWS * batch.ids.size;
    using stages = new Stages(this.device);
    stages.step("embed", () => resid ?? hooks.at("embed", null, ops.embedding(embedding, batch.ids)));
    for (const [layer, block] of blocks.entries()) {
      if (layer < fromLayer || layer >= this.#endOf(upTo)) continue;
      const taken = inBlock && layer === blocks.length - 1 ? take : undefined;
      const run = (x: F32) => runBlock(pass, layer, x, block, taken);
      stages.step(`block ${layer}`, (x) => {
        if (!wrapBlock) return run(x);
        const leaving = taken ? [rows!.size, x.shape.at(-1)!] : x.shape;
        return wrapped(layer, leaving, wrapBlock(layer, x, run));
      });
    }
    if (take && !inBlock) stages.step("rows", take);
    if (upTo === "logits") stages.step("unembed", (x) => end(pass, x));
    hooks.finish();
    if (cache) cache.length += length;
    return stages.take();
  }

  /**
   * The logits that a residual stream gives: the final norm and the unembedding, as at the end of {@link forward}, without hooks. On the
   * stream after an earlier layer it is the logit lens (nostalgebraist 2020).
   * @param resid `[…, d]`
   * @returns `[…, V]`, of the innermost open scope or the caller
   * @throws {ModelUseError} when the last axis is not as wide as the model
   */
  unembed(resid: F32, { ops = kernels }: { readonly ops?: Ops } = {}): F32 {
    const { finalNorm, unembedding } = this.modules;
    const { hidden_size: width } = this.config;
    if (!(resid instanceof Tensor) || resid.dtype !== "f32" || resid.shape.at(-1) !== width) {
      const given = resid instanceof Tensor ? `${resid.dtype} [${resid.shape}]` : typeof resid;
      throw new ModelUseError(`unembed of ${this.label}: resid is ${given}; expected f32 […, ${width}]`);
    }
    return this.device.scoped("unembed", () => ops.linear(normalize({ ops }, resid, finalNorm), unembedding));
  }

  /** Hook points in the order of the forward pass: all, or those of a run over part of the model. */
  hookPoints({ fromLayer, upTo = "logits" }: Pick<ForwardOptions, "fromLayer" | "upTo"> = {}): HookPoint[] {
    const { blocks } = this.modules;
    const points = pointsOf({ first: fromLayer ?? 0, end: this.#endOf(upTo) }, absentSites(blocks[0]!));
    return points.filter(({ site, layer }) => {
      if (layer !== null) return true;
      return site === "embed" ? fromLayer === undefined : upTo === "logits";
    });
  }

  /** The parameter at a hook point: W_V. A model keeps no activations. With it `restore("W_V", layers, model)` works. */
  tensorAt(site: Site, layer: number | null): Tensor | undefined {
    return site === "W_V" && layer !== null ? this.weights.get(`${moduleNames.down(layer)}.weight`) : undefined;
  }

  /** An empty cache for `batch` sequences and up to `capacity` columns. It belongs to the caller. */
  newCache(batch: number, capacity: number): KVCache {
    return new KVCache(this.device, this.#cacheShape(batch, capacity));
  }

  /**
   * The memory that passes over prompts and their continuations need beside the weights, for `requireMemory`: the cache when it is
   * full, the rotary tables, and the activations of the pass over the prompts.
   * @param columns of the prompts, padding included
   * @param capacity of the cache
   */
  memoryToGenerate(batch: number, columns: number, capacity: number): MemoryNeed[] {
    const { device, config } = this;
    return [
      ...cacheMemory(this.#cacheShape(batch, capacity)),
      ...this.#rotary.memory(columns, capacity),
      ...passMemory(device, this.modules.blocks[0]!, config.vocab_size, { tokens: batch * columns, rows: batch }),
    ];
  }

  /**
   * The activations of passes whose gradients are computed together, for `requireMemory`.
   * @param passes tokens of each, padding included
   */
  activationsToTrain(passes: readonly number[], how: TapedPasses): MemoryNeed[] {
    const { device, config } = this;
    return tapedMemory(device, this.modules.blocks, config.vocab_size, passes, how);
  }

  /**
   * The activations of a pass without gradients and without a cache, for `requireMemory`.
   * @param sizes its tokens, padding included, and the rows whose logits are computed
   */
  activationsToRun(sizes: PassSizes): MemoryNeed[] {
    return passMemory(this.device, this.modules.blocks[0]!, this.config.vocab_size, sizes);
  }

  /** Releases the weights. */
  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
    this.#rotary.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #cacheShape(batch: number, capacity: number): KVCacheShape {
    const { num_hidden_layers: layers, num_key_value_heads: groups, head_dim: width } = this.config;
    return { layers, batch, capacity, groups, width };
  }

  /** The first layer that a pass does not run. */
  #endOf(upTo: ForwardOptions["upTo"]): number {
    return typeof upTo === "number" ? upTo : this.config.num_hidden_layers;
  }

  #check(batch: Batch, { ops = kernels, cache, rows, resid, fromLayer, upTo }: ForwardOptions): void {
    const { vocab_size: vocabulary, num_hidden_layers: layers, hidden_size: width } = this.config;
    const [count, length] = batch.ids.shape;
    const refuse = (why: string) => {
      throw new ModelUseError(`forward of ${this.label}: ${why}`);
    };
    if (batch.largestId >= vocabulary)
      refuse(`token ${batch.largestId} is outside its vocabulary of ${vocabulary}; is this the model's own tokenizer?`);
    if ((fromLayer === undefined) !== (resid === undefined))
      refuse("fromLayer and resid go together: the layer to start at, and the residual stream that enters it");
    if (fromLayer !== undefined && !(Number.isInteger(fromLayer) && fromLayer >= 0 && fromLayer <= layers))
      refuse(`fromLayer is ${fromLayer}; its layers are 0 to ${layers - 1}, and ${layers} computes the logits alone`);
    const first = fromLayer ?? 0;
    if (typeof upTo === "number" && !(Number.isInteger(upTo) && upTo > first && upTo <= layers))
      refuse(`upTo is ${upTo}, and a pass from layer ${first} can stop before layer ${first + 1} to ${layers}`);
    if (typeof upTo === "number" && rows)
      refuse("rows are of what comes after the last block; leave them out, or let upTo be `resid` or `logits`");
    if (resid && `${resid.shape}` !== `${[count, length, width]}`)
      refuse(`resid is [${resid.shape}], and this batch needs [${[count, length, width]}]`);
    if (first === layers) {
      // Only attention looks at other columns.
      if (cache) refuse("a pass that computes the logits alone has no keys and values; leave out the cache");
      return;
    }
    const cached = cache?.length ?? 0;
    if (batch.cachedColumns !== cached)
      refuse(`this batch goes on after ${batch.cachedColumns} cached columns, and the cache holds ${cached}`);
    if (!cache) return;
    if (ops.records) refuse("`ops` records gradients, and writes into a KV cache have none; leave out the cache");
    if (cached + length > cache.capacity)
      refuse(`${length} more columns do not fit the cache: ${cached} of its ${cache.capacity} are filled`);
    // What follows a cache may be padded on the right: the next step is refused then, because its sequences end at different columns.
    const gap = batch.firsts.findIndex((first, b) => first + batch.lengths[b]! !== length);
    if (gap >= 0 && cached === 0)
      refuse(`sequence ${gap} ends before the batch does; a cache begins with sequences padded on the left`);
  }
}

/**
 * Of the rows of a batch, the share up to which the last block computes those alone. To take them there and not at its end costs one run of a
 * kernel more, and three for the gradient.
 */
const FEW_ROWS = 3 / 4;

/** Takes rows of tensors `[B, T, n]`: `[R, n]`. */
function takeRows(ops: Ops, rows: Tensor<Shape, "u32">): TakeRows {
  return (x) => {
    const width = x.shape.at(-1)!;
    return ops.gatherRows(ops.reshape(x, { shape: [x.size / width, width] }), rows);
  };
}

/** The final norm and the unembedding. */
function logitsOf(pass: Pass, x: F32, { finalNorm, unembedding }: Modules): F32 {
  const { ops, hooks } = pass;
  const { kind, eps, weight } = finalNorm;
  const fused = fusedOf(ops);
  if (fused && !hooks.wants("ln_final_scale", null) && !hooks.wants("ln_final", null))
    return fused.normLinear(x, weight, unembedding, { norm: { kind, eps } });
  return ops.linear(normalizeAt(pass, "ln_final", null, x, finalNorm), unembedding);
}

/** What a `wrapBlock` made of block `layer`'s input. @throws {ModelUseError} when it cannot be the residual stream after the block, of this shape */
function wrapped(layer: number, shape: Shape, made: unknown): F32 {
  if (made instanceof Tensor && made.dtype === "f32" && `${made.shape}` === `${shape}`) return made as F32;
  const found = made instanceof Tensor ? `a tensor of ${made.dtype} [${made.shape}]` : typeof made;
  throw new ModelUseError(
    `forward: wrapBlock returned ${found} for block ${layer}; expected what \`run(x)\` returns, [${shape}]`,
  );
}
