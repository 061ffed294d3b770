import { Tape } from "@lethe/autograd";
import { batchOf, type Decoder, type Prompt } from "@lethe/decoder";
import { Captures, HookError, type HookPoint, Hooks, type PointSelector, selectPoints, sites } from "@lethe/hooks";
import { type F32, full, ops as kernels } from "@lethe/tensor";
import { checkedAsync, instanceOf, optional, options, wholeNumbers } from "@lethe/tensor/checked";
import { decoder, prompt as promptKind, selector } from "./kinds.ts";
import { type Metric, metricKind, metricRows, valuesOf } from "./metrics.ts";
import { sequencesOf } from "./prompts.ts";

/** Of what, and where, gradients are computed. */
export interface GradientOptions {
  readonly metric: Metric;
  /** The activations. Parameters that it names are left out: their gradients are those of training. */
  readonly points: PointSelector;
  /** Layers from 0. Default: all. */
  readonly layers?: readonly number[];
  /** Interventions in the run. The gradients are those of the activations after them. */
  readonly hooks?: Hooks;
}

/** The gradients of a metric in one run. */
export interface ActivationGradients extends Disposable {
  /** The metric. */
  readonly value: number;
  /** The activations. They belong to this object. */
  readonly activations: Captures;
  /** The gradient of the metric with respect to each of them, under the same name and of the same shape. */
  readonly gradients: Captures;
}

/**
 * The gradients of a metric with respect to activations: one pass forward, one back. Activations of all layers of the prompt are in
 * memory at once, as in training without checkpointing.
 * @throws {ModelUseError} for text without a tokenizer
 * @throws {HookError} when `points` names no point of the model
 * @throws {LetheError} when the metric does not depend on any of them
 * @function
 */
export const activationGradients = checkedAsync(
  "activationGradients",
  {
    model: decoder,
    prompt: promptKind,
    options: options({
      metric: metricKind,
      points: selector,
      layers: optional(wholeNumbers),
      hooks: optional(instanceOf(Hooks)),
    }),
  },
  async (model: Decoder, prompt: Prompt, options: GradientOptions): Promise<ActivationGradients> => {
    const [tokens] = await sequencesOf(model, prompt);
    const activations = new Captures(`the run of ${model.label}`);
    const gradients = new Captures(`gradients of ${model.label}`);
    const dispose = () => {
      activations.dispose();
      gradients.dispose();
    };
    try {
      using value = runBack(model, tokens!, options, activations, gradients);
      return { value: await value.item(), activations, gradients, [Symbol.dispose]: dispose };
    } catch (error) {
      dispose();
      throw error;
    }
  },
);

/** @returns the metric `[1]`, of the caller */
function runBack(
  model: Decoder,
  tokens: readonly number[],
  { metric, points, layers, hooks = new Hooks() }: GradientOptions,
  activations: Captures,
  gradients: Captures,
): F32 {
  const { device } = model;
  const chosen = selectPoints(model.hookPoints(), points, layers).filter(({ site }) => !sites[site].parameter);
  if (chosen.length === 0) throw new HookError(`activationGradients: ${points} names parameters, and no activation`);
  const names = new Set(chosen.map(({ name }) => name));
  using _ = device.scope("activation gradients");
  using tape = new Tape(kernels);
  // An activation depends on those before it, so it cannot be watched itself. Zeros that are added to it have the same gradient.
  const probes = new Map<F32, HookPoint>();
  const isChosen = ({ name }: HookPoint) => names.has(name);
  const probed = hooks.capture(isChosen, activations).edit(isChosen, (x, { point, ops }) => {
    const probe = full(device, x.shape, 0).retain();
    probes.set(probe, point);
    tape.watch([probe]);
    return ops.add(x, probe);
  });
  try {
    const value = device.scoped("forward", () => {
      const batch = batchOf(device, [tokens]);
      const rows = metricRows(model, metric, [1, tokens.length]);
      return valuesOf(model.forward(batch, { ops: tape.ops, hooks: probed, rows }), metric, 1, tape.ops);
    });
    for (const [probe, gradient] of tape.backward(value, { seed: full(device, [1], 1) })) {
      const point = probes.get(probe as F32)!;
      gradients.put(point, gradient.retain(), activations.heldAt(point.site, point.layer));
    }
    return value.retain();
  } finally {
    for (const probe of probes.keys()) probe.dispose();
  }
}
