import type { Decoder } from "@lethe/decoder";
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
import { RestoringPasses } from "./passes.ts";
import type { QuestionBatch } from "./questions.ts";
import { type RecordedRun, recordRun } from "./recorded-run.ts";
import { settings as everySetting, type SettingName } from "./settings/list.ts";
import type { Setting } from "./settings/setting.ts";
import { windowsTogether } from "./together.ts";
import { goesByLayers, sweepCentres, windowOf } from "./window.ts";

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

/** The losses of one restoration of a sweep. */
export interface MeasuredRestoration<N extends string = SettingName> {
  readonly setting: Setting<N>;
  readonly centre: number;
  /** loss* and loss_o* of each question. */
  readonly base: AlignedLosses<number[]>;
  readonly losses: AlignedLosses<number[]>;
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
  /** Windows of a setting that go through the layers as one batch. Default: as many as pay, by the size of their residual streams. */
  readonly together?: number;
  /** Called before each part of a pass with the share of the work that is done. */
  readonly progress?: (share: number, setting: Setting<N>) => void;
  /** Called with the losses of each restoration when they are read, and with loss*, for who draws them while the sweep goes on. */
  readonly measured?: (restored: MeasuredRestoration<N>) => void;
  /** Stops the sweep: its reason is thrown at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Restores every setting around every layer, or every `stride`-th one, of the unlearned model and compares its answer logits with the
 * vanilla model's (arXiv 2410.06606, Section 3 and Figure 1). Activations are restored at all positions, W_V by exchanging the matrix.
 *
 * No setting changes layers before the window, so each pass starts at the window from the unlearned model's own residual stream. Windows of a
 * setting go through the later layers as one batch where one alone would not fill the adapter. This needs a setting whose hooks only
 * replace sites in named layers; others take one pass a window. The host records passes ahead of the device and reads losses
 * when they are there. No scope is held across a wait, so other work may run on the device at the same time.
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
      together: optional(atLeast(1)),
      progress: optional(callable),
      measured: optional(callable),
      signal,
    }),
  },
  async <N extends string = SettingName>(options: SweepOptions<N>): Promise<RestorationLosses<N>> => {
    const { unlearned, questions, run, radius, stride = 1, progress, measured, signal } = options;
    const settings = options.settings ?? (everySetting as readonly Setting[] as readonly Setting<N>[]);
    const { device, config } = unlearned;
    const depth = config.num_hidden_layers;
    const centres = sweepCentres(depth, stride);

    const recorded = ["resid_pre", ...settings.flatMap(({ own = [] }) => own)] as const;
    using own = recordRun(unlearned, questions, recorded, "the unlearned run");
    const compareOwn = () => {
      using _ = device.scope("base losses");
      return mse(run.logits, own.logits, { reduction: "rows" }).retain();
    };
    const [base] = await unlessAborted(lossesOf(questions, compareOwn(), ["base losses"]), signal);
    own.logits.dispose();

    const swept = settings.map((setting) => {
      const windows = centres.map((centre) => windowOf(setting, centre, radius, { depth, vanilla: run, own }));
      return { setting, windows, byLayers: windows.every((window) => goesByLayers(window, depth)) };
    });
    let [current, done, total] = [settings[0]!, 0, 0];
    const before = async (work: number) => {
      progress?.(done / total, current);
      await device.ready(signal);
      done += work;
    };
    const passes = new RestoringPasses({ unlearned, questions, own, vanilla: run.logits, before });
    total = swept.flatMap(({ windows }) => windows).reduce((sum, window) => sum + passes.workOf(window), 0);

    const restored = {} as Record<N, AlignedLosses<number[][]>>;
    for (const { setting, windows, byLayers } of swept) {
      current = setting;
      const most = byLayers ? (options.together ?? windowsTogether(questions.batch.ids.size * config.hidden_size)) : 1;
      const parts: Promise<AlignedLosses<number[]>[]>[] = [];
      for (let at = 0; at < windows.length; at += most) {
        const part = windows.slice(at, at + most);
        const losses = byLayers ? await passes.together(part) : await passes.alone(part[0]!);
        const labels = part.map(({ centre }) => `restore ${setting.name} around layer ${centre}`);
        const reading = lossesOf(questions, losses, labels);
        parts.push(reading);
        if (measured)
          showWhenRead(reading, part, (centre, losses) => measured({ setting, centre, base: base!, losses }));
        // Losses are read while the next passes are recorded. A loss that is not finite is heard of two passes later.
        await unlessAborted(Promise.resolve(parts.at(-3)), signal);
      }
      const layers = (await unlessAborted(Promise.all(parts), signal)).flat();
      restored[setting.name] = byAlignment((alignment) => layers.map((losses) => losses[alignment]));
    }
    return { depth, centres, base: base!, restored };
  },
);

/** Hands over the losses of windows as soon as they are read. Who waits for them hears of a failure. */
function showWhenRead(
  reading: Promise<AlignedLosses<number[]>[]>,
  windows: readonly { readonly centre: number }[],
  show: (centre: number, losses: AlignedLosses<number[]>) => void,
): void {
  const each = (read: AlignedLosses<number[]>[]) => {
    for (const [i, losses] of read.entries()) show(windows[i]!.centre, losses);
  };
  reading.then(each, () => {});
}

/** Reads the losses of passes, each of a number a row, and gives the tensor back. @param labels one for each pass, for errors */
function lossesOf(
  questions: QuestionBatch,
  perRow: F32,
  labels: readonly string[],
): Promise<AlignedLosses<number[]>[]> {
  const rows = questions.rows.size;
  const reading = perRow.read();
  perRow.dispose();
  const losses = reading.then((values) =>
    labels.map((label, pass) =>
      byAlignment((alignment) => {
        const perQuestion = questions.perQuestion(values.subarray(pass * rows, (pass + 1) * rows), alignment);
        const broken = perQuestion.findIndex((loss) => !Number.isFinite(loss));
        if (broken < 0) return perQuestion;
        throw new LetheError(
          `${label}: the loss of question ${broken} is ${perQuestion[broken]}; a model's logits on its answer are NaN or too large`,
        );
      }),
    ),
  );
  // Who waits for the losses hears of a failure. A sweep that was stopped waits no more.
  losses.catch(() => {});
  return losses;
}

function byAlignment<L>(losses: (alignment: Alignment) => L): AlignedLosses<L> {
  return { paper: losses("paper"), released: losses("released") };
}
