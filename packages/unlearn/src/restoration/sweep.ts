import type { Decoder } from "@lethe/decoder";
import { Captures, Hooks } from "@lethe/hooks";
import { mse, type Shape, type Tensor } from "@lethe/tensor";
import { ALIGNMENTS, type Alignment } from "../metrics/index.ts";
import type { QuestionBatch } from "./questions.ts";
import { SETTINGS, type Setting, sitesOf } from "./settings.ts";
import { windowAround } from "./windows.ts";

type F32 = Tensor<Shape, "f32">;

/** What the vanilla model computes on a set of questions, once for every method and setting. Disposed of by the caller. */
export interface VanillaRun extends Disposable {
  /** m and A of every layer. */
  readonly captures: Captures;
  /** Logits on the answer rows, `[R, V]`. */
  readonly logits: F32;
}

/** Records the vanilla model's coefficients, attention states and answer logits. */
export function runVanilla(vanilla: Decoder, questions: QuestionBatch): VanillaRun {
  const captures = new Captures("the vanilla run");
  const hooks = new Hooks().capture("m", captures).capture("A", captures);
  const logits = vanilla.forward(questions.batch, { hooks, rows: questions.rows });
  return {
    captures,
    logits,
    [Symbol.dispose]() {
      captures.dispose();
      logits.dispose();
    },
  };
}

/** Per-question losses: the mean squared difference from the vanilla model's logits over the answer rows and the vocabulary. */
export interface RestorationLosses {
  /** Of the unlearned model as it is: loss*. */
  readonly base: Record<Alignment, number[]>;
  /** With a setting restored around each centre layer, layer by layer: loss_o*. */
  readonly restored: Record<Setting, Record<Alignment, number[][]>>;
}

export interface SweepOptions {
  readonly vanilla: Decoder;
  readonly unlearned: Decoder;
  readonly questions: QuestionBatch;
  readonly run: VanillaRun;
  /** Layers restored on either side of the centre. */
  readonly radius: number;
  /** Called before each forward pass with the share that is done. */
  readonly progress?: (share: number, setting: Setting) => void;
}

/**
 * Restores every setting around every layer of the unlearned model and compares its answer logits with the vanilla model's
 * (arXiv 2410.06606, Section 3 and Figure 1). Activations are restored at all positions, W_V by exchanging the matrix. Layers
 * before a window are the unlearned model's own in any case, so each run starts from the residual stream that enters it.
 */
export async function sweepRestoration(options: SweepOptions): Promise<RestorationLosses> {
  const { vanilla, unlearned, questions, run, radius, progress } = options;
  const { batch, rows } = questions;
  const { device } = unlearned;
  const depth = unlearned.config.num_hidden_layers;
  using _scope = device.scope("restoration sweep");
  using streams = new Captures("the unlearned run");

  const compare = (logits: F32) => mse(run.logits, logits, { reduction: "rows" });
  const hooks = new Hooks().capture("resid_pre", streams);
  const base = compare(unlearned.forward(batch, { rows, hooks }));

  const restored = Object.fromEntries(
    SETTINGS.map((setting) => [
      setting,
      Object.fromEntries(ALIGNMENTS.map((alignment) => [alignment, [] as number[][]])),
    ]),
  ) as RestorationLosses["restored"];
  const runs = SETTINGS.length * depth;
  for (const [index, setting] of SETTINGS.entries()) {
    for (let centre = 0; centre < depth; centre++) {
      progress?.((index * depth + centre) / runs, setting);
      using _step = device.scope(`restore ${setting} around layer ${centre}`);
      const window = windowAround(centre, radius, depth);
      const putBack = sitesOf[setting].reduce(
        (list, site) => list.restore(site, window, site === "W_V" ? vanilla : run.captures),
        new Hooks(),
      );
      const fromLayer = window[0]!;
      const resid = streams.get("resid_pre", fromLayer) as F32;
      const values = await compare(unlearned.forward(batch, { rows, hooks: putBack, fromLayer, resid })).read();
      for (const alignment of ALIGNMENTS) restored[setting][alignment].push(questions.perQuestion(values, alignment));
    }
  }
  const unrestored = await base.read();
  const perQuestion = (alignment: Alignment) => questions.perQuestion(unrestored, alignment);
  return { base: { paper: perQuestion("paper"), released: perQuestion("released") }, restored };
}
