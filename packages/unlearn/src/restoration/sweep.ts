import type { Decoder } from "@lethe/decoder";
import { Captures, Hooks, type Site, type TensorSource } from "@lethe/hooks";
import { type F32, LetheError, mse } from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checked,
  checkedAsync,
  optional,
  options,
  unlessAborted,
} from "@lethe/tensor/checked";
import { decoder, signal } from "../kinds.ts";
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
    heldAt: (site, layer) => captures.heldAt(site, layer),
    [Symbol.dispose]() {
      captures.dispose();
      logits.dispose();
    },
  };
}

const settingList = optional({
  wanted: "an array of settings, such as those of `settings`",
  accepts: (value) => Array.isArray(value) && value.every((setting) => callable.accepts(Object(setting).hooks)),
});

/**
 * Runs the vanilla model on questions and records what settings put back. One run serves every method. The caller disposes of it.
 * @function
 */
export const runVanilla = checked(
  "runVanilla",
  { vanilla: decoder, questions: anyObject, settings: settingList },
  (vanilla: Decoder, questions: QuestionBatch, settings: readonly Setting[] = everySetting): RecordedRun =>
    recordRun(
      vanilla,
      questions,
      settings.flatMap((setting) => setting.vanilla),
      "the vanilla run",
    ),
);

/** Losses by alignment. A loss is a question's mean squared difference from the vanilla logits, over its answer rows and the vocabulary. */
export type AlignedLosses<L> = Readonly<Record<Alignment, L>>;

/** What {@link sweepRestoration} measures. */
export interface RestorationLosses<N extends string = SettingName> {
  /** Layers of the model. */
  readonly depth: number;
  /** The layers around which settings were restored, in ascending order: one for each entry of `restored`. */
  readonly centres: number[];
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
  /** From one centre to the next: 0, s, 2s, … Default: 1, every layer. */
  readonly stride?: number;
  /** Default: all of `settings`. */
  readonly settings?: readonly Setting<N>[];
  /** Called before each forward pass with the share that is done. */
  readonly progress?: (share: number, setting: Setting<N>) => void;
  /** Stops the sweep: its reason is thrown at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Restores every setting around every layer, or every `stride`-th one, of the unlearned model and compares its answer logits with the vanilla model's
 * (arXiv 2410.06606, Section 3 and Figure 1). Activations are restored at all positions, W_V by exchanging the matrix. No
 * setting changes layers before the window, so each pass starts at the window from the unlearned model's own residual stream. No scope is
 * held across a wait, so other work may run on the device at the same time.
 * @throws {LetheError} when a loss is not finite, with the pass and the question
 * @function
 */
export const sweepRestoration = checkedAsync(
  "sweepRestoration",
  {
    options: options({
      unlearned: decoder,
      questions: anyObject,
      run: anyObject,
      radius: atLeast(0),
      stride: optional(atLeast(1)),
      settings: settingList,
      progress: optional(callable),
      signal,
    }),
  },
  async <N extends string = SettingName>(options: SweepOptions<N>): Promise<RestorationLosses<N>> => {
    const { unlearned, questions, run, radius, stride = 1, progress, signal } = options;
    const settings = options.settings ?? (everySetting as readonly Setting[] as readonly Setting<N>[]);
    const { batch, rows } = questions;
    const { device } = unlearned;
    const depth = unlearned.config.num_hidden_layers;
    const centres = Array.from({ length: Math.ceil(depth / stride) }, (_, i) => i * stride);

    const recorded = ["resid_pre", ...settings.flatMap(({ own = [] }) => own)] as const;
    using own = recordRun(unlearned, questions, recorded, "the unlearned run");

    // The logits are computed, compared and released before the wait.
    const compare = async (label: string, logits: () => F32): Promise<AlignedLosses<number[]>> => {
      const perRow = () => {
        using _ = device.scope(label);
        return mse(run.logits, logits(), { reduction: "rows" }).retain();
      };
      using losses = perRow();
      const values = await unlessAborted(losses.read(), signal);
      return byAlignment((alignment) => {
        const perQuestion = questions.perQuestion(values, alignment);
        const broken = perQuestion.findIndex((loss) => !Number.isFinite(loss));
        if (broken < 0) return perQuestion;
        throw new LetheError(
          `${label}: the loss of question ${broken} is ${perQuestion[broken]}; a model's logits on its answer are NaN or too large`,
        );
      });
    };

    const base = await compare("base losses", () => own.logits);
    const restored = {} as Record<N, AlignedLosses<number[][]>>;
    for (const [index, setting] of settings.entries()) {
      const layers: AlignedLosses<number[]>[] = [];
      for (const [i, centre] of centres.entries()) {
        signal?.throwIfAborted();
        progress?.((index + i / centres.length) / settings.length, setting);
        const window = windowAround(centre, radius, depth);
        const hooks = setting.hooks({ window, depth, vanilla: run, own });
        const fromLayer = window[0]!;
        const resid = own.tensorAt("resid_pre", fromLayer) as F32;
        const restoredLogits = () => unlearned.forward(batch, { rows, hooks, fromLayer, resid });
        layers.push(await compare(`restore ${setting.name} around layer ${centre}`, restoredLogits));
      }
      restored[setting.name] = byAlignment((alignment) => layers.map((losses) => losses[alignment]));
    }
    return { depth, centres, base, restored };
  },
);

/**
 * The layers restored around a centre: centre − radius … centre + radius, clipped at the ends (arXiv 2410.06606, Section 3, has
 * radius 2). Windows at the ends are narrower: the last two of radius 2 cover four and three layers.
 * @function
 */
export const windowAround = checked(
  "windowAround",
  { centre: atLeast(0), radius: atLeast(0), depth: atLeast(1) },
  (centre: number, radius: number, depth: number): number[] => {
    const first = Math.max(0, centre - radius);
    const last = Math.min(depth - 1, centre + radius);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  },
);

function byAlignment<L>(losses: (alignment: Alignment) => L): AlignedLosses<L> {
  return { paper: losses("paper"), released: losses("released") };
}
