import { streamModel } from "@lethe/auto";
import { type ModelPlace, modules, StreamedModel, type Watch } from "@lethe/decoder";
import { bytesPerElement, type MemoryNeed } from "@lethe/tensor";
import {
  anyObject,
  atLeast,
  callable,
  checked,
  checkedAsync,
  instanceOf,
  type Kind,
  optional,
  options,
} from "@lethe/tensor/checked";
import { signal } from "../kinds.ts";
import type { QuestionBatch } from "./questions.ts";
import { type RecordedRun, recordStreamedRun } from "./recorded-run.ts";
import { settings as everySetting } from "./settings/list.ts";
import type { Setting } from "./settings/setting.ts";
import { sweepCentres, windowAround } from "./window.ts";

/** Which layers a sweep restores, by its options. */
export interface SweptWindows {
  readonly radius: number;
  /** Default: 1. */
  readonly stride?: number | undefined;
}

const placeKind: Kind = {
  wanted: "a StreamedModel, or a model's place: a path, a name on the Hugging Face Hub or a folder",
  accepts: (value) =>
    value instanceof StreamedModel || typeof value === "string" || callable.accepts(Object(value).open),
};

export interface StreamVanillaOptions extends Watch {
  /** Default: all of `settings`. */
  readonly settings?: readonly Setting[] | undefined;
  /** What is swept, so that no other layer is recorded. Default: every layer is. */
  readonly windows?: SweptWindows | undefined;
}

/**
 * As `runVanilla`, with a vanilla model that never is on the device as a whole: its blocks are read one after another, see `StreamedModel`. The
 * run has the bits of `runVanilla` on the model as it is loaded, in its dtype on disk. On the device there are one block's weights, those
 * outside the blocks, and what is recorded: of the value vectors those that the settings put back. When the run is there, no weight of the
 * model is left but them. The caller disposes of the run.
 * @param vanilla an open model, which stays open; or a place: the path of a directory, a model's name on the Hugging Face Hub, or a folder
 * @throws {ModelError} or {ConfigError} when a place holds no model that Lethe loads
 * @throws {OutOfMemoryError} before a weight is read, when a block and the weights outside the blocks do not fit the device
 * @throws the reason of `signal` when it is aborted
 * @function
 */
export const streamVanilla = checkedAsync(
  "streamVanilla",
  {
    vanilla: placeKind,
    questions: anyObject,
    options: optional(
      options({
        settings: optional(anyObject),
        windows: optional(options({ radius: atLeast(0), stride: optional(atLeast(1)) })),
        signal,
        onProgress: optional(callable),
      }),
    ),
  },
  async (
    vanilla: StreamedModel | ModelPlace,
    questions: QuestionBatch,
    { settings = everySetting, windows, ...watch }: StreamVanillaOptions = {},
  ): Promise<RecordedRun> => {
    const opened = vanilla instanceof StreamedModel;
    const model = opened ? vanilla : await streamModel(questions.rows.device, vanilla, { tokenizer: null, ...watch });
    try {
      const layers = layersOf(model, windows);
      const recorded = settings.flatMap((setting) => setting.vanilla);
      return await recordStreamedRun(model, questions, { recorded, layers, label: "the vanilla run", ...watch });
    } finally {
      if (!opened) await model.close();
    }
  },
);

/**
 * The memory that {@link streamVanilla} needs on the device for weights, for `requireMemory`: one block's, those outside the blocks, and the
 * value vectors that are kept. What it records of activations, `restorationMemory` counts.
 * @function
 */
export const streamVanillaMemory = checked(
  "streamVanillaMemory",
  {
    vanilla: instanceOf(StreamedModel),
    options: options({ settings: optional(anyObject), windows: optional(anyObject) }),
  },
  (
    vanilla: StreamedModel,
    { settings = everySetting, windows }: Pick<StreamVanillaOptions, "settings" | "windows">,
  ): MemoryNeed[] => {
    const { device, weights } = vanilla;
    const kept = settings.some((setting) => setting.vanilla.includes("W_V")) ? layersOf(vanilla, windows) : [];
    const values = kept.map((layer) => {
      const name = `${modules.down(layer)}.weight`;
      const { shape, dtype } = weights.get(name)!;
      const bytes = shape.reduce((product, dim) => product * dim, bytesPerElement[dtype]);
      return { part: "value vectors of the vanilla model", name, bytes: device.pool.sizeOf(bytes, true) };
    });
    return [...vanilla.memory(), ...values];
  },
);

/** The layers that are recorded. */
function layersOf({ config }: StreamedModel, windows: SweptWindows | undefined): number[] {
  const depth = config.num_hidden_layers;
  return windows ? sweptLayers(depth, windows) : [...Array(depth).keys()];
}

/** Layers that are in a window of a sweep, in ascending order. */
function sweptLayers(depth: number, { radius, stride = 1 }: SweptWindows): number[] {
  const layers = sweepCentres(depth, stride).flatMap((centre) => windowAround(centre, radius, depth));
  return [...new Set(layers)].sort((a, b) => a - b);
}
