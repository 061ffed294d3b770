import { loadModel } from "@lethe/auto";
import type { Decoder, ModelPlace } from "@lethe/decoder";
import {
  bytesPerElement,
  type Device,
  describeMemory,
  type MemoryNeed,
  openDevice,
  requireMemory,
} from "@lethe/tensor";
import type { TrainingRecipe } from "@lethe/unlearn";
import { pretrainedIn } from "#pretrained";
import { memoryOfCell } from "../plan/cell-memory.ts";
import { DispatchLog } from "../profile/kernel-costs.ts";
import type { Study } from "../studies/study.ts";
import { askVanilla, liveAnswers } from "../subjects/known-answers.ts";
import { type SubjectRecord, subjectKind } from "../subjects/list.ts";
import type { PretrainedStore } from "../subjects/pretrained.ts";
import type { AtEpoch, KnownAnswers, Models, Subject, Watcher } from "../subjects/subject.ts";
import type { Unfinished } from "../subjects/unfinished.ts";
import { onDevice } from "../subjects/vanilla/on-device.ts";
import { streamed } from "../subjects/vanilla/streamed.ts";
import type { Vanilla, VanillaPlace } from "../subjects/vanilla/vanilla.ts";
import type { Cell, CellResult } from "./cell.ts";
import { forecastOf, type Rates } from "./forecast/forecast.ts";
import { type CopyTraining, inF32, trainingOf } from "./forecast/memory.ts";
import { rehearse, roughSeconds } from "./forecast/rehearse.ts";
import { withQuestions, workOf } from "./forecast/work.ts";
import type { CellParts, CellRunner, Rehearsed } from "./run-cells.ts";
import { requireStreamable } from "./streamable.ts";

/** About which share of a cell's time its subject takes. Only the progress bar depends on it. */
const SUBJECT_SHARE = 0.8;

/** Seconds that a cell takes from which it is worth a forecast: that takes as long as some optimiser steps and passes, half a minute on SwiftShader. */
const WORTH_A_FORECAST = 120;

/** How cells are run, beside what decides their results. */
export interface RunnerOptions {
  /** Keeps models that are trained from scratch. Default: a folder in Node, and memory in a browser. */
  readonly pretrained?: PretrainedStore | undefined;
  /** Where the vanilla model is meanwhile. Default: `device`. */
  readonly vanilla?: VanillaPlace | undefined;
}

/** Opens the best device there is, and runs cells on it. */
export async function openDeviceRunner(studies: readonly Study[], options: RunnerOptions = {}): Promise<CellRunner> {
  return deviceRunner(await openDevice(), studies, options);
}

/** As {@link openDeviceRunner}, on a device that is open. Closing the runner closes the device. */
export function deviceRunner(device: Device, studies: readonly Study[], options: RunnerOptions = {}): CellRunner {
  return new DeviceRunner(device, studies, options);
}

/** A vanilla model, and what is kept with it for the next cell. */
interface VanillaModel {
  readonly directory: ModelPlace;
  readonly vanilla: Vanilla;
  /** How long it took to read it as a whole. */
  loadSeconds: number;
  /** What rehearsals measured, by {@link ratesKey}. */
  readonly rates: Map<string, Rates>;
  /** Tokens of the answers that it gave, by question. */
  readonly answered: Map<string, readonly number[]>;
  copy?: Decoder;
  /** Whether the copy's weights may be others than the vanilla model's. */
  changed?: boolean;
  known?: { readonly key: string; readonly answers: KnownAnswers & Disposable };
}

class DeviceRunner implements CellRunner {
  readonly #device: Device;
  readonly #studies: readonly Study[];
  readonly #pretrained: PretrainedStore;
  readonly #place: VanillaPlace;
  #kept: VanillaModel | null = null;

  constructor(device: Device, studies: readonly Study[], { pretrained = pretrainedIn(), vanilla }: RunnerOptions) {
    this.#device = device;
    this.#studies = studies;
    this.#pretrained = pretrained;
    this.#place = vanilla ?? "device";
  }

  get adapter() {
    return { name: this.#device.adapterName, software: this.#device.capabilities.software };
  }

  watchWork(): DispatchLog {
    return new DispatchLog(this.#device);
  }

  get peakBytes(): number {
    return this.#device.memory().peakBytes;
  }

  deviceState(): string {
    return describeMemory(this.#device.memory());
  }

  async rehearse(cell: Cell, watcher: Watcher, unfinished?: Unfinished): Promise<Rehearsed> {
    const kept = await this.#keep(cell);
    const { vanilla } = kept;
    const work = await workOf(vanilla.sizes, cell, { loads: 2, asking: true });
    const training = await trainingOf(vanilla, cell, work);
    const rates = await this.#ratesOf(kept, cell, training, watcher, unfinished);
    return { rates, work, memory: await memoryOfCell(vanilla, cell) };
  }

  async runCell(cell: Cell, watcher: Watcher, parts: CellParts = {}): Promise<Pick<CellResult, "subject" | "studies">> {
    const { config, sources } = cell;
    const { unfinished, matched, onMade } = parts;
    watcher.progress(0, "loading the model");
    this.#device.pool.resetPeak();
    const kept = await this.#keep(cell);
    // Where the vanilla model is not kept, it is asked before there is another model beside it.
    if (!kept.vanilla.model) await this.#ask(kept, cell, watcher);
    await this.#forecast(kept, cell, watcher, parts);
    const loaded: Decoder[] = [];
    const models: Models = {
      vanilla: kept.vanilla,
      copy: async (purpose, needs, dtypeOf = inF32) => {
        const copy = await this.#copy(kept, purpose, { needs, dtypeOf });
        kept.changed = true; // The caller trains it.
        return copy;
      },
      load: async (directory) => {
        const model = await loadModel(this.#device, directory);
        loaded.push(model);
        return model;
      },
      pretrained: this.#pretrained,
    };
    try {
      let asked = false;
      const known = async () => {
        const answers = await this.#ask(kept, cell, watcher);
        if (!asked) watcher.live?.({ kind: "vanilla", answers: liveAnswers(answers) });
        asked = true;
        return answers;
      };
      const { vanilla } = kept;
      const { concept, retain } = sources;
      const { evaluation } = config;
      const subjectOf = async (made: Pick<Subject, "model" | "answers">): Promise<Subject> => {
        return { vanilla, known: await known(), ...made, concept, retain, evaluation };
      };
      const chosen = this.#studies.filter(({ name }) => name in config.studies);
      const atEpoch: AtEpoch = async (model, answers, watcher) => {
        const subject = await subjectOf({ model, answers });
        const measured: Record<string, unknown> = {};
        for (const study of chosen) {
          const result = await study.atEpoch?.(subject, config.studies[study.name], watcher);
          if (result !== undefined) measured[study.name] = result;
        }
        return measured;
      };
      const subjectWatcher = part(watcher, 0, SUBJECT_SHARE);
      const kind = subjectKind(config.subject);
      const {
        model,
        answers,
        record,
        epochs = [],
      } = await kind.make({
        config,
        sources,
        models,
        known,
        atEpoch,
        watcher: subjectWatcher,
        unfinished,
        matched,
      });
      this.#device.trim(); // The memory that training took is not needed any more.
      const subject = await subjectOf({ model, answers });
      const results: Record<string, unknown> = {};
      for (const [i, study] of chosen.entries()) {
        watcher.signal.throwIfAborted();
        const length = (1 - SUBJECT_SHARE) / chosen.length;
        const studyWatcher = part(watcher, SUBJECT_SHARE + i * length, length);
        const followed = epochs.filter((measured) => study.name in measured).map((measured) => measured[study.name]);
        results[study.name] = await study.measure(
          { ...subject, epochs: followed },
          config.studies[study.name],
          studyWatcher,
        );
      }
      await onMade?.(model);
      return { subject: record as SubjectRecord, studies: results };
    } finally {
      for (const model of loaded) model.dispose();
    }
  }

  async close(): Promise<void> {
    await this.#forget();
    this.#device.destroy();
  }

  async #keep(cell: Cell): Promise<VanillaModel> {
    const directory = cell.sources.model;
    if (this.#place === "streamed") requireStreamable(cell, this.#studies);
    if (this.#kept?.directory !== directory) {
      await this.#forget();
      const startedAt = performance.now();
      const vanilla =
        this.#place === "streamed"
          ? await streamed(this.#device, directory)
          : onDevice(await loadModel(this.#device, directory));
      this.#kept = { directory, vanilla, loadSeconds: since(startedAt), rates: new Map(), answered: new Map() };
    }
    return this.#kept;
  }

  /**
   * Makes the forecast of a cell where it is worth its cost: where the cell takes long. The vanilla model is asked before, because its answers
   * decide how many questions are compared.
   */
  async #forecast(
    kept: VanillaModel,
    cell: Cell,
    watcher: Watcher,
    { onForecast, unfinished }: CellParts,
  ): Promise<void> {
    if (!onForecast || cell.config.subject.kind !== "unlearned") return;
    const { vanilla } = kept;
    const all = await workOf(vanilla.sizes, cell, { loads: 0, asking: false });
    if (!kept.rates.has(ratesKey(cell))) {
      const model = vanilla.model ?? (await this.#copy(kept, "unlearning", await trainingOf(vanilla, cell, all)));
      if ((await roughSeconds(model, cell, all, watcher.signal)) < WORTH_A_FORECAST) return;
    }
    const training = await trainingOf(vanilla, cell, all);
    await this.#copy(kept, "unlearning", training); // Too little memory shows before the questions are asked.
    const before = performance.now();
    const { counts } = await this.#ask(kept, cell, watcher);
    const asking = since(before);
    const rates = await this.#ratesOf(kept, cell, training, part(watcher, 0, 0), unfinished);
    const work = withQuestions(all, counts.target.compared, counts.unrelated.compared);
    const { seconds, stages } = forecastOf(rates, work, this.#studies);
    onForecast({
      seconds: seconds + asking,
      stages: { ...stages, "asking the vanilla model": asking },
      memory: await memoryOfCell(vanilla, cell),
    });
  }

  /** What a rehearsal measures, once for all cells of a {@link ratesKey}. */
  async #ratesOf(
    kept: VanillaModel,
    cell: Cell,
    training: CopyTraining,
    watcher: Watcher,
    unfinished: Unfinished | undefined,
  ): Promise<Rates> {
    const { vanilla, rates: measured } = kept;
    const known = measured.get(ratesKey(cell));
    if (known) return known;
    const copy = await this.#copy(kept, "unlearning", training);
    kept.changed = true;
    // A training's state is the weights and both moments.
    const keep = 3 * ((await unfinished?.rehearse(copy.weights)) ?? 0);
    const rates = {
      load: kept.loadSeconds,
      keep,
      ...(await rehearse({ vanilla: vanilla.model ?? copy, copy }, cell, this.#studies, watcher)),
    };
    measured.set(ratesKey(cell), rates);
    this.#device.trim();
    return rates;
  }

  /**
   * The one copy of a vanilla model. An earlier cell may have changed it, so it gets the vanilla weights again; where that cell needed other
   * dtypes, it is made anew.
   */
  async #copy(kept: VanillaModel, purpose: string, { needs, dtypeOf }: CopyTraining): Promise<Decoder> {
    const { vanilla } = kept;
    const fits = kept.copy && [...kept.copy.weights].every(([name, { dtype }]) => dtype === dtypeOf(name));
    if (kept.copy && fits) {
      if (kept.changed) await vanilla.giveWeights(kept.copy);
    } else {
      kept.copy?.dispose();
      delete kept.copy;
      requireMemory(this.#device, `${purpose} a copy of ${vanilla.label}`, [...copyMemory(vanilla, dtypeOf), ...needs]);
      const startedAt = performance.now();
      kept.copy = await vanilla.copy(dtypeOf);
      // Of a streamed model this is the first time that it is read as a whole.
      if (!vanilla.model) kept.loadSeconds = since(startedAt);
    }
    kept.changed = false;
    return kept.copy;
  }

  async #ask(kept: VanillaModel, cell: Cell, watcher: Watcher): Promise<KnownAnswers> {
    const key = questionsKey(cell);
    if (kept.known?.key !== key) {
      kept.known?.answers[Symbol.dispose]();
      delete kept.known;
      if (!kept.vanilla.model) {
        kept.copy?.dispose();
        delete kept.copy;
      }
      const asking = (model: Decoder) => askVanilla(model, cell, watcher, kept.answered);
      kept.known = { key, answers: await kept.vanilla.whole(asking) };
    }
    return kept.known.answers;
  }

  async #forget(): Promise<void> {
    const kept = this.#kept;
    this.#kept = null;
    kept?.known?.answers[Symbol.dispose]();
    kept?.copy?.dispose();
    await kept?.vanilla.close();
  }
}

function since(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}

/** The weights of a model's copy, for `requireMemory`. */
function copyMemory({ sizes }: Vanilla, dtypeOf: CopyTraining["dtypeOf"]): MemoryNeed[] {
  return Array.from(sizes.weights, ([name, { size }]) => {
    return { part: "weights of the copy", name, bytes: bytesPerElement[dtypeOf(name)] * size };
  });
}

/** What decides the vanilla model's answers. */
function questionsKey({ config: { model, concept, evaluation } }: Cell): string {
  return JSON.stringify([model, concept, evaluation]);
}

/** What decides a cell's rates. They hold for any number of questions, steps and windows, because they are lines by size. */
function ratesKey({ config: { subject, studies } }: Cell): string {
  const { method, options, train, training } = subject as Partial<Record<string, unknown>>;
  const { weights, optimiser, references } = (training ?? {}) as Partial<TrainingRecipe>;
  return JSON.stringify([method, options, train, weights, optimiser, references, Object.keys(studies)]);
}

/** A watcher for a part of the work: its progress from 0 to 1 becomes `from` to `from + length`. */
function part(watcher: Watcher, from: number, length: number): Watcher {
  return { ...watcher, progress: (share, stage, now) => watcher.progress(from + share * length, stage, now) };
}
