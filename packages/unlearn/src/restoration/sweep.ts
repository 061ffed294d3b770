import type { Decoder } from "@lethe/decoder";
import { Captures, Hooks, type Site, type TensorSource } from "@lethe/hooks";
import { type F32, mse } from "@lethe/tensor";
import type { Alignment } from "../metrics/alignment.ts";
import type { QuestionBatch } from "./questions.ts";
import { settings as everySetting, type SettingName } from "./settings/list.ts";
import type { Setting } from "./settings/setting.ts";

/** A model's run on a set of questions. As a source for hooks it gives recorded activations of every layer, and the model's value vectors. */
export interface RecordedRun extends TensorSource, Disposable {
  /** Logits on the answer rows, `[R, V]`. */
  readonly logits: F32;
}

/** Runs a model on questions and records what passes the given sites, and the answer logits. The caller disposes of the run. */
function recordRun(
  model: Decoder,
  { batch, rows }: QuestionBatch,
  recorded: readonly Site[],
  label: string,
): RecordedRun {
  const captures = new Captures(label);
  const hooks = [...new Set(recorded)].reduce((list, site) => list.capture(site, captures), new Hooks());
  using _ = model.device.scope(label);
  const logits = model.forward(batch, { hooks, rows }).retain();
  return {
    label,
    logits,
    tensorAt: (site, layer) => captures.tensorAt(site, layer) ?? model.tensorAt(site, layer),
    [Symbol.dispose]() {
      captures.dispose();
      logits.dispose();
    },
  };
}

/** Runs the vanilla model on questions and records what settings put back. One run serves every method. The caller disposes of it. */
export function runVanilla(
  vanilla: Decoder,
  questions: QuestionBatch,
  settings: readonly Setting[] = everySetting,
): RecordedRun {
  return recordRun(
    vanilla,
    questions,
    settings.flatMap((setting) => setting.vanilla),
    "the vanilla run",
  );
}

/** Losses by alignment. A loss is a question's mean squared difference from the vanilla logits, over its answer rows and the vocabulary. */
export type AlignedLosses<L> = Readonly<Record<Alignment, L>>;

/** What {@link sweepRestoration} measures. */
export interface RestorationLosses<N extends string = SettingName> {
  /** loss*: of the unlearned model as it is, for each question. */
  readonly base: AlignedLosses<number[]>;
  /** loss_o*: with a setting restored, for each centre layer and question. */
  readonly restored: Readonly<Record<N, AlignedLosses<number[][]>>>;
}

export interface SweepOptions<N extends string = SettingName> {
  readonly unlearned: Decoder;
  readonly questions: QuestionBatch;
  /** The vanilla model's run on the same questions, recorded for the same settings. */
  readonly run: RecordedRun;
  /** Layers restored on either side of the centre. */
  readonly radius: number;
  /** Default: all of `settings`. */
  readonly settings?: readonly Setting<N>[];
  /** Called before each forward pass with the share that is done. */
  readonly progress?: (share: number, setting: Setting<N>) => void;
  /** Stops the sweep: its reason is thrown before the next pass. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Restores every setting around every layer of the unlearned model and compares its answer logits with the vanilla model's
 * (arXiv 2410.06606, Section 3 and Figure 1). Activations are restored at all positions, W_V by exchanging the matrix. No
 * setting changes layers before the window, so each pass starts at the window from the unlearned model's own residual stream. No scope is
 * held across a wait, so other work may run on the device at the same time.
 */
export async function sweepRestoration<N extends string = SettingName>(
  options: SweepOptions<N>,
): Promise<RestorationLosses<N>> {
  const { unlearned, questions, run, radius, progress, signal } = options;
  const settings = options.settings ?? (everySetting as readonly Setting[] as readonly Setting<N>[]);
  const { batch, rows } = questions;
  const { device } = unlearned;
  const depth = unlearned.config.num_hidden_layers;

  const recorded = ["resid_pre", ...settings.flatMap(({ own = [] }) => own)] as const;
  using own = recordRun(unlearned, questions, recorded, "the unlearned run");

  // The logits are computed, compared and released before the wait.
  const compare = async (label: string, logits: () => F32): Promise<AlignedLosses<number[]>> => {
    const perRow = () => {
      using _ = device.scope(label);
      return mse(run.logits, logits(), { reduction: "rows" }).retain();
    };
    using losses = perRow();
    const values = await losses.read();
    return byAlignment((alignment) => questions.perQuestion(values, alignment));
  };

  const base = await compare("base losses", () => own.logits);
  const restored = {} as Record<N, AlignedLosses<number[][]>>;
  for (const [index, setting] of settings.entries()) {
    const layers: AlignedLosses<number[]>[] = [];
    for (let centre = 0; centre < depth; centre++) {
      signal?.throwIfAborted();
      progress?.((index + centre / depth) / settings.length, setting);
      const window = windowAround(centre, radius, depth);
      const hooks = setting.hooks({ window, depth, vanilla: run, own });
      const fromLayer = window[0]!;
      const resid = own.tensorAt("resid_pre", fromLayer) as F32;
      const restoredLogits = () => unlearned.forward(batch, { rows, hooks, fromLayer, resid });
      layers.push(await compare(`restore ${setting.name} around layer ${centre}`, restoredLogits));
    }
    restored[setting.name] = byAlignment((alignment) => layers.map((losses) => losses[alignment]));
  }
  return { base, restored };
}

/**
 * The layers restored around a centre: centre − radius … centre + radius, clipped at the ends (arXiv 2410.06606, Section 3, has
 * radius 2). Windows at the ends are narrower: the last two of radius 2 cover four and three layers.
 */
export function windowAround(centre: number, radius: number, depth: number): number[] {
  const first = Math.max(0, centre - radius);
  const last = Math.min(depth - 1, centre + radius);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function byAlignment<L>(losses: (alignment: Alignment) => L): AlignedLosses<L> {
  return { paper: losses("paper"), released: losses("released") };
}
