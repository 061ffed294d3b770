/** Compares Lethe with what `reference.py` computed, for one directory. */
import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { batchOf, type Decoder, dependsOnLength, readRope, stepOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { type Device, ops } from "@lethe/tensor";
import { AdamW, labelledBatch, selectTrainable, Tape, train } from "@lethe/unlearn";
import { type Distance, elementwise, farthest, normwise, unequal } from "./distance.ts";
import { type Expected, readExpected } from "./expected.ts";

/** A directory that `reference.py` wrote: a model, and the values that `transformers` computed with it. */
export interface Subject {
  readonly device: Device;
  readonly directory: string;
  readonly expected: Expected;
}

export async function subjectAt(device: Device, directory: string): Promise<Subject> {
  return { device, directory, expected: await readExpected(directory) };
}

/** One kind of comparison. */
export interface Comparison {
  readonly what: string;
  /** The largest distance at which two results count as the same; see README.md. */
  readonly tolerance: number;
  /** Whether weights are widened to f32, for training. */
  readonly f32?: true;
  measure(subject: Subject, model: Decoder): Promise<Distance>;
}

export interface Result extends Distance {
  readonly what: string;
  readonly tolerance: number;
  readonly ok: boolean;
}

const float = 1e-4;
const gradient = 1e-3;
const exact = 0;

/** Every kind, in the order of the printed columns. */
export const comparisons: readonly Comparison[] = [
  { what: "logits", tolerance: float, measure: logits },
  { what: "activations", tolerance: float, measure: activations },
  { what: "cached", tolerance: float, measure: cached },
  { what: "left pad", tolerance: float, measure: (subject, model) => padded(subject, model, "left") },
  { what: "right pad", tolerance: float, measure: (subject, model) => padded(subject, model, "right") },
  { what: "gradients", tolerance: gradient, f32: true, measure: gradients },
  { what: "AdamW", tolerance: float, f32: true, measure: adamw },
  { what: "greedy", tolerance: exact, measure: greedy },
  { what: "uncached", tolerance: exact, measure: greedyWithoutCache },
  { what: "batched", tolerance: exact, measure: greedyPadded },
  { what: "sharded", tolerance: exact, measure: sharded },
];

/** Makes a comparison, with a model loaded for it alone: no comparison depends on what another did. */
export async function resultOf({ what, tolerance, f32, measure }: Comparison, subject: Subject): Promise<Result> {
  const { device, directory } = subject;
  using _scope = device.scope(what);
  using model = await loadModel(device, directory, f32 && { dtype: "f32" });
  const distance = await measure(subject, model);
  return { what, tolerance, ...distance, ok: distance.error <= tolerance };
}

/** The farthest of all prompts. */
async function overPrompts(
  { expected }: Subject,
  measure: (prompt: readonly number[], i: number) => Promise<Distance>,
): Promise<Distance> {
  const distances: Distance[] = [];
  for (const [i, prompt] of expected.prompts.entries()) distances.push(await measure(prompt, i));
  return farthest(distances);
}

function logits(subject: Subject, model: Decoder): Promise<Distance> {
  return overPrompts(subject, async (prompt, i) => {
    const actual = await model.forward(batchOf(model.device, [prompt])).read();
    return elementwise(`prompt ${i}`, actual, subject.expected.logits[i]!);
  });
}

/** Logits of prompts that go through a cache token by token. */
function cached(subject: Subject, model: Decoder): Promise<Distance> {
  const { device } = model;
  const rope = readRope(model.config).rope!;
  return overPrompts(subject, async (prompt, i) => {
    // Beyond its limit the dynamic kind gives other logits with a cache than without one.
    if (dependsOnLength(rope, prompt.length)) return { error: 0, where: `prompt ${i}, beyond the limit` };
    using cache = model.newCache(1, prompt.length);
    const rows: number[] = [];
    for (const [t, token] of prompt.entries()) {
      using _scope = device.scope("step");
      const batch = t === 0 ? batchOf(device, [[token]]) : stepOf(device, [token], { starts: [0], lengths: [t] });
      rows.push(...(await model.forward(batch, { cache }).read()));
    }
    return elementwise(`prompt ${i}`, rows, subject.expected.logits[i]!);
  });
}

async function activations({ device, expected }: Subject, model: Decoder): Promise<Distance> {
  using seen = new Captures();
  const hooks = new Hooks().capture(({ name }) => expected.activations.has(name), seen);
  model.forward(batchOf(device, [expected.prompts[0]!]), { hooks });
  const distances: Distance[] = [];
  for (const [name, values] of expected.activations)
    distances.push(elementwise(name, await seen.get(name).read(), values));
  return farthest(distances);
}

/** The rows of a padded batch that hold tokens, compared with a padded batch and, where `transformers` gives the same, with single runs. */
async function padded({ device, expected }: Subject, model: Decoder, pad: "left" | "right"): Promise<Distance> {
  const batch = batchOf(device, expected.prompts, { pad, padId: 1 });
  const all = await model.forward(batch).read();
  const width = model.config.vocab_size;
  return farthest(
    expected.padded.flatMap((values, i) => {
      const from = batch.row(i, 0) * width;
      const actual = all.slice(from, from + values.length);
      const alone = expected.logits[i]!;
      const same = elementwise("", values, alone).error <= float;
      const distance = elementwise(`prompt ${i}`, actual, values);
      return same ? [distance, elementwise(`prompt ${i}, alone`, actual, alone)] : [distance];
    }),
  );
}

async function gradients({ device, expected }: Subject, model: Decoder): Promise<Distance> {
  using tape = new Tape(ops);
  tape.watch(model.weights.values());
  const batch = labelledBatch(device, expected.prompts);
  const found = tape.backward(lossOf(tape, model, batch));
  const names = new Set([...model.weights.keys(), ...expected.gradients.keys()]);
  const distances: Distance[] = [];
  for (const name of names) {
    const actual = model.weights.has(name) && found.get(model.weights.get(name)!);
    distances.push(normwise(name, actual ? await actual.read() : [], expected.gradients.get(name) ?? []));
  }
  return farthest(distances);
}

async function adamw({ device, expected }: Subject, model: Decoder): Promise<Distance> {
  const { steps, learningRate, ...settings } = expected.adamw;
  using optimiser = new AdamW(selectTrainable(model.weights), settings);
  const batch = labelledBatch(device, expected.prompts);
  const step = [{ name: "the prompts", loss: (tape: Tape) => lossOf(tape, model, batch) }];
  const losses: number[] = [];
  const run = train(device, {
    optimiser,
    schedule: () => learningRate,
    steps: Array.from({ length: steps }, () => step),
  });
  for await (const { loss } of run) losses.push(loss);
  const off = (loss: number, i: number) => ({ error: Math.abs(losses[i]! - loss), where: `step ${i + 1}` });
  return farthest(expected.losses.map(off));
}

function lossOf(tape: Tape, model: Decoder, batch: ReturnType<typeof labelledBatch>) {
  return tape.ops.crossEntropy(model.forward(batch, { ops: tape.ops }), batch.labels, { reduction: "mean" });
}

function greedy(subject: Subject, model: Decoder): Promise<Distance> {
  const { expected } = subject;
  return overPrompts(subject, async (prompt, i) => {
    const [tokens] = await generated(model, [prompt], expected);
    return unequal(`prompt ${i}`, tokens!, expected.greedy.cache[i]!);
  });
}

async function greedyPadded({ expected }: Subject, model: Decoder): Promise<Distance> {
  const made = await generated(model, expected.prompts, expected);
  return farthest(made.map((tokens, i) => unequal(`prompt ${i}`, tokens, expected.greedy.padded[i]!)));
}

/** New tokens of each prompt, and the EOS where one ended them. */
async function generated(
  model: Decoder,
  prompts: readonly (readonly number[])[],
  { newTokens }: Expected,
): Promise<number[][]> {
  const made = await model.generate(prompts, { maxNewTokens: newTokens });
  return made.map(({ tokens, stop }) => (stop === null ? [...tokens] : [...tokens, stop]));
}

function greedyWithoutCache(subject: Subject, model: Decoder): Promise<Distance> {
  return overPrompts(subject, async (prompt, i) => {
    const wanted = subject.expected.greedy.noCache[i]!;
    const tokens = [...prompt];
    for (const _ of wanted) {
      using _scope = model.device.scope("one more token");
      const logits = await model.forward(batchOf(model.device, [tokens])).read();
      const row = logits.slice(-model.config.vocab_size);
      tokens.push(row.indexOf(Math.max(...row)));
    }
    return unequal(`prompt ${i}`, tokens.slice(prompt.length), wanted);
  });
}

/** Weights of the same model in several files. */
async function sharded({ device, directory }: Subject, whole: Decoder): Promise<Distance> {
  using parts = await loadModel(device, join(directory, "sharded"));
  const distances: Distance[] = [];
  for (const [name, weight] of whole.weights)
    distances.push(unequal(name, await parts.weights.get(name)!.read(), await weight.read()));
  return farthest(distances);
}
