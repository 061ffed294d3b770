/** One directory that `reference.py` wrote, held against Lethe. */
import { join } from "node:path";
import { loadModel } from "@lethe/auto";
import { batchOf, type Decoder, dependsOnLength, readRope, stepOf } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { type Device, ops } from "@lethe/tensor";
import { AdamW, labelledBatch, selectTrainable, Tape, tokenNll, train } from "@lethe/unlearn";
import { type Distance, elementwise, farthest, normwise, unequal } from "./distance.ts";
import { type Expected, readExpected } from "./expected.ts";

/** A directory with what is expected of it. */
export interface Subject {
  readonly device: Device;
  readonly directory: string;
  readonly expected: Expected;
}

export async function subjectAt(device: Device, directory: string): Promise<Subject> {
  return { device, directory, expected: await readExpected(directory) };
}

/** One kind of comparison. Each loads the model for itself, so that none depends on what another did to it. */
export interface Comparison {
  readonly what: string;
  /** The largest distance at which the two count as the same; see README.md. */
  readonly tolerance: number;
  measure(subject: Subject): Promise<Distance>;
}

export interface Result extends Distance {
  readonly what: string;
  readonly tolerance: number;
  readonly ok: boolean;
}

const float = 1e-4;
const gradient = 1e-3;
const exact = 0;

/** Every kind, in the order in which they are shown. */
export const comparisons: readonly Comparison[] = [
  { what: "logits", tolerance: float, measure: logits },
  { what: "activations", tolerance: float, measure: activations },
  { what: "cached", tolerance: float, measure: cached },
  { what: "left pad", tolerance: float, measure: (subject) => padded(subject, "left") },
  { what: "right pad", tolerance: float, measure: (subject) => padded(subject, "right") },
  { what: "gradients", tolerance: gradient, measure: gradients },
  { what: "AdamW", tolerance: float, measure: adamw },
  { what: "greedy", tolerance: exact, measure: greedy },
  { what: "uncached", tolerance: exact, measure: greedyWithoutCache },
  { what: "batched", tolerance: exact, measure: greedyPadded },
  { what: "sharded", tolerance: exact, measure: sharded },
];

/** A comparison's verdict on a subject. */
export async function resultOf({ what, tolerance, measure }: Comparison, subject: Subject): Promise<Result> {
  using _scope = subject.device.scope(what);
  const distance = await measure(subject);
  return { what, tolerance, ...distance, ok: distance.error <= tolerance };
}

async function logits({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  const distances: Distance[] = [];
  for (const [i, prompt] of expected.prompts.entries()) {
    const actual = await model.forward(batchOf(device, [prompt])).read();
    distances.push(elementwise(`prompt ${i}`, actual, expected.logits[i]!));
  }
  return farthest(distances);
}

/** Logits of prompts that come through a cache: the first token in a pass of its own, then the others one by one. */
async function cached({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  const rope = readRope(model.config).rope!;
  const distances: Distance[] = [{ error: 0, where: "no prompt within the limit" }];
  for (const [i, prompt] of expected.prompts.entries()) {
    // Beyond its limit the dynamic kind gives other logits with a cache than without one.
    if (dependsOnLength(rope, prompt.length)) continue;
    using cache = model.newCache(1, prompt.length);
    const rows: number[] = [];
    for (const [t, token] of prompt.entries()) {
      using _scope = device.scope("step");
      const batch = t === 0 ? batchOf(device, [[token]]) : stepOf(device, [token], { starts: [0], lengths: [t] });
      rows.push(...(await model.forward(batch, { cache }).read()));
    }
    distances.push(elementwise(`prompt ${i}`, rows, expected.logits[i]!));
  }
  return farthest(distances);
}

async function activations({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  using seen = new Captures();
  const hooks = new Hooks().capture(({ name }) => expected.activations.has(name), seen);
  model.forward(batchOf(device, [expected.prompts[0]!]), { hooks });
  const distances: Distance[] = [];
  for (const [name, values] of expected.activations)
    distances.push(elementwise(name, await seen.get(name).read(), values));
  return farthest(distances);
}

/** The rows of a padded batch that hold tokens, against such a batch and against single runs wherever those are to be the same. */
async function padded({ device, directory, expected }: Subject, pad: "left" | "right"): Promise<Distance> {
  using model = await loadModel(device, directory);
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

async function gradients({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory, { dtype: "f32" });
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

async function adamw({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory, { dtype: "f32" });
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
  return tokenNll(tape.ops, { logits: () => model.forward(batch, { ops: tape.ops }), labels: batch.labels });
}

async function greedy({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  const distances: Distance[] = [];
  for (const [i, prompt] of expected.prompts.entries()) {
    const [tokens] = await generated(model, [prompt], expected);
    distances.push(unequal(`prompt ${i}`, tokens!, expected.greedy.cache[i]!));
  }
  return farthest(distances);
}

async function greedyPadded({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  const made = await generated(model, expected.prompts, expected);
  return farthest(made.map((tokens, i) => unequal(`prompt ${i}`, tokens, expected.greedy.padded[i]!)));
}

/** New tokens of each prompt, with the EOS that ended them. */
async function generated(
  model: Decoder,
  prompts: readonly (readonly number[])[],
  { newTokens }: Expected,
): Promise<number[][]> {
  const made = await model.generate(prompts, { maxNewTokens: newTokens });
  return made.map(({ tokens, stop }) => (stop === null ? [...tokens] : [...tokens, stop]));
}

async function greedyWithoutCache({ device, directory, expected }: Subject): Promise<Distance> {
  using model = await loadModel(device, directory);
  const distances: Distance[] = [];
  for (const [i, prompt] of expected.prompts.entries()) {
    const wanted = expected.greedy.noCache[i]!;
    const tokens = [...prompt];
    for (const _ of wanted) {
      using _scope = device.scope("one more token");
      const logits = await model.forward(batchOf(device, [tokens])).read();
      const row = logits.slice(-model.config.vocab_size);
      tokens.push(row.indexOf(Math.max(...row)));
    }
    distances.push(unequal(`prompt ${i}`, tokens.slice(prompt.length), wanted));
  }
  return farthest(distances);
}

/** Weights of the same model in several files. */
async function sharded({ device, directory }: Subject): Promise<Distance> {
  using whole = await loadModel(device, directory);
  using parts = await loadModel(device, join(directory, "sharded"));
  const distances: Distance[] = [];
  for (const [name, weight] of whole.weights)
    distances.push(unequal(name, await parts.weights.get(name)!.read(), await weight.read()));
  return farthest(distances);
}
