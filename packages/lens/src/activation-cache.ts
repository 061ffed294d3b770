import type { Decoder } from "@lethe/decoder";
import { Captures, type HookPoint, pointAt, type Selection, type Site } from "@lethe/hooks";
import { div, embedding, type F32, LetheError, mean, mul, reshape, sub, sum } from "@lethe/tensor";
import { checkHeadResults, headResults } from "./head-results.ts";
import { wide } from "./weight-views.ts";

/** The part of a run that is looked at. Default: all of it. */
type Part = Pick<Selection, "positions" | "sequences">;

/** Parts of the residual stream, one after another. */
export interface ResidualStack {
  /** `[C, B, P, d]`: C components, B sequences, P positions. It belongs to the innermost open scope, or to the caller. */
  readonly components: F32;
  /** The name of each component, as TransformerLens names it: `embed`, `3_attn_out`, `L3H1`, `2_pre`. */
  readonly labels: readonly string[];
  /** Where in the run the components were taken. */
  readonly part: Part;
  /** The point of the scale that they are divided by, such as `ln_final_scale`; null where they are not. */
  readonly dividedBy: string | null;
}

/** Which components of the residual stream are wanted. */
export interface ResidualOptions extends Part {
  /** The stream that enters this layer; the number of layers is the stream that the final norm reads. Default: that one. */
  readonly layer?: number;
  /** The stream that enters the layer's MLP in place of the one that enters its attention. Default: false. */
  readonly mlpInput?: boolean;
  /** Whether the components are divided by the scale of the norm that reads the stream. Default: false. */
  readonly applyLn?: boolean;
}

/** Of which tokens {@link ActivationCache.logitAttrs} speaks. */
export interface LogitAttrsOptions {
  /** The attribution of the logit of this token is subtracted. One, or one for each sequence. */
  readonly wrong?: number | readonly number[];
}

/**
 * The activations of one run, by the names of hook points, and what they say of the residual stream. It is a source too:
 * `hooks.restore("m", [3], cache)`. Methods and components are named as in TransformerLens's `ActivationCache`, which computes the same.
 * What they give belongs to the innermost open scope, or to the caller.
 */
export class ActivationCache extends Captures {
  readonly model: Decoder;
  #logits: F32 | null = null;

  constructor(model: Decoder) {
    super(`the run of ${model.label}`);
    this.model = model;
  }

  /** Keeps the logits of the run for as long as the cache lives. */
  keepLogits(logits: F32): F32 {
    this.#logits?.dispose();
    this.#logits = logits.retain();
    return this.#logits;
  }

  override dispose(): void {
    this.#logits?.dispose();
    super.dispose();
  }

  /**
   * A site in several layers as one tensor, layers first: `[L, B, …]`.
   * @param where as for `select`; `layers` are in the order given. Default: every layer that holds the site
   * @throws {HookError} when one of the layers was not captured
   */
  stackActivation(
    site: Site,
    { layers, ...where }: Omit<Selection, "layer" | "ops"> & { readonly layers?: readonly number[] } = {},
  ): F32 {
    const held = this.points().flatMap((point) => (point.site === site && point.layer !== null ? [point.layer] : []));
    const wanted = layers ?? held.sort((a, b) => a - b);
    // Without a layer this names what was captured.
    if (wanted.length === 0) this.get(site, 0);
    return this.#stacked(wanted.map((layer) => () => this.select(site, { ...where, layer })));
  }

  /**
   * The residual stream before each layer up to the one that is asked for: what the logit lens reads, by `model.unembed(components)`.
   * @param options `inclMid`: the stream between attention and MLP too
   */
  accumulatedResid({
    inclMid = false,
    ...options
  }: Omit<ResidualOptions, "applyLn"> & { readonly inclMid?: boolean } = {}): ResidualStack {
    const { layer, part, depth } = this.#reader(options);
    const streams: [string, HookPoint][] = [];
    for (let l = 0; l <= layer; l++) {
      streams.push(l === depth ? ["final_post", pointAt("resid_post", l - 1)] : [`${l}_pre`, pointAt("resid_pre", l)]);
      if (l < layer ? inclMid : options.mlpInput) streams.push([`${l}_mid`, pointAt("resid_mid", l)]);
    }
    return this.#stack(streams, part, options);
  }

  /**
   * What was added to the residual stream before a layer reads it: the embedding and the outputs of attentions and MLPs. Together they
   * are the stream.
   * @param options `mode`: only attentions (`attn`) or MLPs (`mlp`), beside the embedding
   */
  decomposeResid({
    mode = "all",
    ...options
  }: ResidualOptions & { readonly mode?: "all" | "attn" | "mlp" } = {}): ResidualStack {
    const { layer, part } = this.#reader(options);
    const added: [string, HookPoint][] = [["embed", pointAt("embed", null)]];
    for (let l = 0; l <= layer; l++) {
      const attended = l < layer || options.mlpInput;
      if (attended && mode !== "mlp") added.push([`${l}_attn_out`, pointAt("A", l)]);
      if (l < layer && mode !== "attn") added.push([`${l}_mlp_out`, pointAt("M", l)]);
    }
    return this.#stack(added, part, options);
  }

  /**
   * What each head of the layers before the one that is asked for added to the residual stream: its `z` times its part of W_O.
   * @param options `inclRemainder`: all that is not of a head, as a last component
   * @throws {LetheError} for a family that normalises the output of attention (OLMo-2): there no head adds a part of its own
   */
  stackHeadResults({
    inclRemainder = false,
    ...options
  }: ResidualOptions & { readonly inclRemainder?: boolean } = {}): ResidualStack {
    checkHeadResults(this.model);
    const { layer, part, depth } = this.#reader(options);
    const layers = Array.from({ length: layer + Number(options.mlpInput ?? false) }, (_, l) => l);
    const labels = layers.flatMap((l) =>
      Array.from({ length: this.model.config.num_attention_heads }, (_, head) => `L${l}H${head}`),
    );
    if (inclRemainder) labels.push("remainder");
    if (labels.length === 0) throw new LetheError("stackHeadResults: no head comes before the first layer");
    const components = this.model.device.scoped("head results", () => {
      const heads = layers.map((l) => headResults(this.model, l, this.select("z", { ...part, layer: l })));
      const parts = heads.map((result) => () => result);
      if (!inclRemainder) return joined(this.model, parts);
      const { mlpInput } = options;
      const stream = mlpInput
        ? this.select("resid_mid", { ...part, layer })
        : this.select(layer === depth ? "resid_post" : "resid_pre", { ...part, layer: Math.min(layer, depth - 1) });
      const rest = heads.reduce<F32>((left, result) => sub(left, sum(result, { axis: 0 })), stream);
      return joined(this.model, [...parts, () => reshape(rest, { shape: [1, ...rest.shape] })]);
    });
    const stack = { components, labels, part, dividedBy: null };
    return options.applyLn ? this.applyLnToStack(stack, options) : stack;
  }

  /**
   * Divides components by the scale with which the norm before a layer divided their sum: they stay parts of what the layer reads. In a
   * LayerNorm each is centred first. The norm's weight is not applied, since TransformerLens folds it into what follows.
   * @throws {HookError} when the norm's scale was not captured (`ln1_scale`, `ln2_scale`, `ln_final_scale`)
   * @throws {LetheError} when the components are divided by the scale of another norm
   */
  applyLnToStack(stack: ResidualStack, options: Pick<ResidualOptions, "layer" | "mlpInput"> = {}): ResidualStack {
    const { layer, depth } = this.#reader(options);
    const block = options.mlpInput ? pointAt("ln2_scale", layer) : pointAt("ln1_scale", layer);
    const { name } = layer === depth ? pointAt("ln_final_scale", null) : block;
    if (stack.dividedBy === name) return stack;
    if (stack.dividedBy !== null)
      throw new LetheError(
        `these components are divided by ${stack.dividedBy} already, and ${name} reads them as they were`,
      );
    const components = this.model.device.scoped("normalised stack", () => {
      const { components, part } = stack;
      const centred =
        this.model.modules.finalNorm.kind === "layer"
          ? sub(components, mean(components, { axis: 3, keepDims: true }) as F32)
          : components;
      return div(centred, this.select(name, part)) as F32;
    });
    return { ...stack, components, dividedBy: name };
  }

  /**
   * Direct logit attribution: what each component adds to the logit of a token through the final norm and the unembedding. The final norm
   * is folded in, its scale as it was in the run and its weight; so the components of the whole stream add up to the logit.
   * @param token one, or one for each sequence
   * @returns `[C, B, P]`
   * @throws {LetheError} when there are not as many tokens as sequences
   */
  logitAttrs(stack: ResidualStack, token: number | readonly number[], { wrong }: LogitAttrsOptions = {}): F32 {
    const [, sequences = 0] = stack.components.shape;
    return this.model.device.scoped("logit attribution", () => {
      const right = this.#directions(token, sequences);
      const towards = wrong === undefined ? right : (sub(right, this.#directions(wrong, sequences)) as F32);
      const { components } = this.applyLnToStack(stack);
      return sum(mul(components, towards) as F32, { axis: 3 });
    });
  }

  /** The directions of tokens' logits in the normalised stream, the final norm's weight folded in, `[B, 1, d]`. */
  #directions(token: number | readonly number[], sequences: number): F32 {
    const { device, modules, config, label } = this.model;
    const tokens = typeof token === "number" ? Array<number>(sequences).fill(token) : token;
    const { vocab_size: vocabulary } = config;
    if (tokens.length !== sequences || tokens.some((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary)))
      throw new LetheError(
        `logitAttrs: the tokens are [${tokens}]; expected one token of ${label}, or one for each of ${sequences} sequences`,
      );
    const ids = device.tensor(tokens, [sequences, 1], "u32", "attributed tokens");
    const rows: F32 = embedding(modules.unembedding, ids);
    const { weight } = modules.finalNorm;
    return weight ? (mul(rows, wide(weight)) as F32) : rows;
  }

  #reader({ layer, mlpInput = false, positions, sequences }: ResidualOptions) {
    const { num_hidden_layers: depth } = this.model.config;
    const read = layer ?? depth;
    if (!(Number.isInteger(read) && read >= 0 && read <= depth))
      throw new LetheError(
        `layer ${layer} reads no residual stream; ${this.model.label} has layers 0 to ${depth - 1}, and ${depth} is the final norm`,
      );
    if (mlpInput && read === depth)
      throw new LetheError("mlpInput: no MLP reads the stream of the final norm; give a layer");
    const part: Part = { ...(positions && { positions }), ...(sequences && { sequences }) };
    return { layer: read, depth, part };
  }

  #stack(streams: readonly (readonly [string, HookPoint])[], part: Part, options: ResidualOptions): ResidualStack {
    const components = this.#stacked(
      streams.map(
        ([, { name }]) =>
          () =>
            this.select(name, part),
      ),
    );
    const stack = { components, labels: streams.map(([label]) => label), part, dividedBy: null };
    return options.applyLn ? this.applyLnToStack(stack, options) : stack;
  }

  #stacked(parts: readonly (() => F32)[]): F32 {
    return joined(
      this.model,
      parts.map((part) => () => {
        const x = part();
        return reshape(x, { shape: [1, ...x.shape] });
      }),
    );
  }
}

/** Tensors `[Cᵢ, …]` one after another. */
function joined({ device }: Decoder, parts: readonly (() => F32)[]): F32 {
  return device.scoped("stack", () => {
    const tensors = parts.map((part) => part());
    const [, ...rest] = tensors[0]!.shape;
    const stack = device.empty([tensors.reduce((count, { shape }) => count + shape[0]!, 0), ...rest], "f32", "stack");
    let at = 0;
    for (const tensor of tensors) {
      device.copyBytes(tensor, 0, stack, at, tensor.bytes);
      at += tensor.bytes;
    }
    return stack;
  });
}
