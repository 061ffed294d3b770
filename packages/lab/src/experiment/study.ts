import { loadModel } from "@lethe/auto";
import { selectTrainable, trainingMemory } from "@lethe/autograd";
import type { Decoder } from "@lethe/decoder";
import { type Device, openDevice, requireMemory } from "@lethe/tensor";
import type { Answer } from "@lethe/unlearn";
import { answerBleu, forgetParagraphs, sweepRestoration, unlearn } from "@lethe/unlearn";
import type { CellMeasurements } from "./cell.ts";
import type { Cell, Progress, Remark, Study } from "./types.ts";
import { askQuestions, askVanilla, doubtOf, expectedOf, type VanillaKnowledge } from "./vanilla.ts";

/** About how a cell's time divides; only the progress bar depends on it. */
const shares = { vanilla: 0.05, epochs: 0.75 };

/** Opens the best device there is and a study on it. */
export async function openStudy(): Promise<Study> {
  return new DeviceStudy(await openDevice());
}

/** A model twice: as it came, and as a copy that is unlearned and then set back. */
interface ModelPair {
  readonly directory: string;
  readonly vanilla: Decoder;
  readonly working: Decoder;
}

class DeviceStudy implements Study {
  readonly #device: Device;
  #models: ModelPair | null = null;
  #known: { readonly key: string; readonly knowledge: VanillaKnowledge } | null = null;

  constructor(device: Device) {
    this.#device = device;
  }

  get adapter() {
    return { name: this.#device.adapterName, software: this.#device.capabilities.software };
  }

  async runCell(cell: Cell, progress: Progress, remark: Remark): Promise<CellMeasurements> {
    const { config, concept, retain } = cell;
    progress(0, "loading the model");
    const { vanilla, working } = await this.#load(cell.modelDirectory);
    const known = await this.#ask(vanilla, cell, () => progress(0, "asking the vanilla model"));
    const doubt = doubtOf(known.exact, config.model.name);
    if (doubt) remark(doubt);
    const encode = (texts: readonly string[]) => Promise.all(texts.map((text) => vanilla.text!.encode(text)));

    const steps: CellMeasurements["steps"] = [];
    const bleu = {
      target: [meanBleu(known.target, known.target)],
      unrelated: [meanBleu(known.unrelated, known.unrelated)],
    };
    let answers = { target: known.target, unrelated: known.unrelated };
    const { epochs } = config.training;
    const share = () => shares.vanilla + (shares.epochs * (bleu.target.length - 1)) / epochs;
    const run = unlearn(working, {
      recipe: config.training,
      forget: await encode(forgetParagraphs(concept, config.seed)),
      retain: await encode(forgetParagraphs(retain, config.seed)),
      seed: config.seed,
      onStep: () => progress(share(), "unlearning"),
    });
    for await (const records of run) {
      const epoch = bleu.target.length;
      for (const { loss, gradientNorm, learningRate } of records)
        steps.push({ epoch, loss, gradientNorm, learningRate });
      answers = await askQuestions(working, cell, () => progress(share(), "answering"));
      bleu.target.push(meanBleu(known.target, answers.target));
      bleu.unrelated.push(meanBleu(known.unrelated, answers.unrelated));
    }

    this.#device.trim(); // The optimiser's memory is not needed for what follows.
    const restoration = await sweepRestoration({
      vanilla,
      unlearned: working,
      questions: known.questions,
      run: known.run,
      radius: config.evaluation.windowRadius,
      progress: (done, setting) =>
        progress(shares.vanilla + shares.epochs + (1 - shares.vanilla - shares.epochs) * done, `restoring ${setting}`),
    });
    const expected = expectedOf(cell);
    const examples = (kind: "target" | "unrelated") =>
      known[kind].slice(0, config.evaluation.examples).map(({ question, text: before }, i) => ({
        question,
        expected: expected[kind]?.[i] ?? null,
        before,
        after: answers[kind][i]!.text,
      }));
    return {
      vanilla: known.exact,
      steps,
      bleu,
      examples: { target: examples("target"), unrelated: examples("unrelated") },
      restoration,
    };
  }

  async close(): Promise<void> {
    this.#forget();
    this.#device.destroy();
  }

  /** The pair of a directory, the working copy set to the vanilla weights. */
  async #load(directory: string): Promise<ModelPair> {
    if (this.#models?.directory !== directory) {
      this.#forget();
      const load = () => loadModel(this.#device, directory, { dtype: "f32" });
      const vanilla = await load();
      try {
        requireUnlearning(vanilla);
        this.#models = { directory, vanilla, working: await load() };
      } catch (error) {
        vanilla.dispose();
        throw error;
      }
    }
    const { vanilla, working } = this.#models;
    for (const [name, weight] of vanilla.weights)
      this.#device.copyBytes(weight, 0, working.weights.get(name)!, 0, weight.bytes);
    return this.#models;
  }

  async #ask(vanilla: Decoder, cell: Cell, onToken: () => void): Promise<VanillaKnowledge> {
    const { model, concept, evaluation } = cell.config;
    const key = JSON.stringify([model, concept, evaluation]);
    if (this.#known?.key !== key) {
      this.#known?.knowledge[Symbol.dispose]();
      this.#known = null;
      this.#known = { key, knowledge: await askVanilla(vanilla, cell, onToken) };
    }
    return this.#known.knowledge;
  }

  #forget(): void {
    this.#known?.knowledge[Symbol.dispose]();
    this.#models?.vanilla.dispose();
    this.#models?.working.dispose();
    this.#known = null;
    this.#models = null;
  }
}

/** Makes sure that a copy of a model has room beside it, and all that the copy's training takes. */
function requireUnlearning({ device, weights, label }: Decoder): void {
  const copy = Array.from(weights, ([name, { bytes }]) => ({ part: "weights of the copy", name, bytes }));
  const training = trainingMemory(selectTrainable(weights));
  requireMemory(device, `unlearning a copy of ${label}`, [...copy, ...training]);
}

function meanBleu(before: readonly Answer[], after: readonly Answer[]): number {
  const scores = before.map(({ text }, i) => answerBleu(text, after[i]!.text));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
