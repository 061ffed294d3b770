import { batchOf, type Decoder } from "@lethe/decoder";
import { ops } from "@lethe/tensor";
import {
  AdamW,
  gradientDifference,
  passOver,
  questionBatch,
  runVanilla,
  selectTrainable,
  settings,
  sweepRestoration,
  Tape,
} from "@lethe/unlearn";
import { tokensLike } from "../inputs.ts";

/** A part of the main job at a model’s size. */
export interface Work {
  readonly name: string;
  readonly shape: string;
  /** Weights that are trained are f32; all else reads them as they are on disk. */
  readonly dtype?: "f32";
  prepare(model: Decoder): { readonly run: () => unknown; readonly dispose?: () => void };
}

const textsOf = ({ config }: Decoder, count: number, length: number, first = 0) =>
  tokensLike(config.vocab_size, count, length, first);

/** A step of Gradient Difference over all parameters with checkpointed blocks: forward, forward again, backward, AdamW. */
const gradientDifferenceStep = (texts: number, length: number): Work => ({
  name: "Gradient Difference step",
  shape: `${texts} + ${texts} texts of ${length} tokens`,
  dtype: "f32",
  prepare(model) {
    const decay = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: 1 };
    const optimiser = new AdamW(selectTrainable(model.weights), decay);
    const objective = gradientDifference.objective!(gradientDifference.options.parse({}));
    const tape = new Tape(ops);
    tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
    const wrapBlock = (_layer: number, x: Parameters<Tape["checkpoint"]>[0], run: Parameters<Tape["checkpoint"]>[1]) =>
      tape.checkpoint(x, run);
    const passOf = (first: number) =>
      passOver(model, textsOf(model, texts, length, first), { ops: tape.ops, wrapBlock });
    return {
      run() {
        const loss = model.device.scoped("forward", () =>
          objective.loss(tape.ops, { forget: passOf(0), retain: passOf(texts) } as never),
        );
        // So small a rate changes no speed, and no weight by much.
        optimiser.update(tape.backward(loss), 1e-9);
      },
      dispose() {
        tape[Symbol.dispose]();
        optimiser[Symbol.dispose]();
      },
    };
  },
});

/** Prompts through the whole model at once, with logits for the last token of each. */
const prefill = (prompts: number, length: number): Work => ({
  name: "prefill",
  shape: `${prompts} prompts of ${length} tokens`,
  prepare(model) {
    const batch = batchOf(model.device, textsOf(model, prompts, length));
    const last = Array.from({ length: prompts }, (_, b) => batch.row(b, -1));
    const rows = model.device.tensor(last, [prompts], "u32", "last rows");
    return { run: () => model.forward(batch, { rows }), dispose: () => batch.dispose() };
  },
});

/** Greedy decoding of some tokens after prompts of one token, each token read back. */
const decode = (sequences: number, tokens: number): Work => ({
  name: "decoding",
  shape: `${sequences} sequences, ${tokens} tokens`,
  prepare(model) {
    const prompts = textsOf(model, sequences, 1);
    return { run: () => model.generate(prompts, { maxNewTokens: tokens, stop: [] }) };
  },
});

/** One setting of a restoration sweep around every layer. The model stands in for both, which changes no speed. */
const sweep = (questions: number, length: number, answer: number): Work => ({
  name: "sweep, one setting",
  shape: `${questions} questions of ${length} tokens`,
  prepare(model) {
    const asked = textsOf(model, questions, length).map((tokens) => ({
      prompt: tokens.slice(0, -answer),
      answer: tokens.slice(-answer),
    }));
    const batch = questionBatch(model.device, asked);
    const setting = settings.slice(0, 1);
    const run = runVanilla(model, batch, setting);
    return {
      run: () => sweepRestoration({ unlearned: model, questions: batch, run, radius: 2, settings: setting }),
      dispose() {
        run[Symbol.dispose]();
        batch[Symbol.dispose]();
      },
    };
  },
});

/** The parts that take the time of a cell: training, asking and restoring. */
export const works: readonly Work[] = [
  gradientDifferenceStep(4, 100),
  prefill(10, 40),
  decode(10, 8),
  decode(60, 8),
  sweep(4, 48, 16),
];
