import { loadModel } from "@lethe/auto";
import type { Decoder } from "@lethe/decoder";
import { type Device, type MemoryNeed, openDevice, requireMemory } from "@lethe/tensor";
import type { Study } from "../studies/study.ts";
import { askVanilla } from "../subjects/known-answers.ts";
import { type SubjectRecord, subjectKind } from "../subjects/list.ts";
import type { KnownAnswers, Models, Watcher } from "../subjects/subject.ts";
import type { Unfinished } from "../subjects/unfinished.ts";
import type { Cell, CellResult } from "./cell.ts";
import type { CellRunner } from "./run-cells.ts";

/** About which share of a cell's time its subject takes. Only the progress bar depends on it. */
const SUBJECT_SHARE = 0.8;

/** Opens the best device there is, and runs cells on it. */
export async function openDeviceRunner(studies: readonly Study[]): Promise<CellRunner> {
  return new DeviceRunner(await openDevice(), studies);
}

/** A vanilla model, and what is kept with it for the next cell. */
interface VanillaModel {
  readonly directory: string;
  readonly vanilla: Decoder;
  copy?: Decoder;
  known?: { readonly key: string; readonly answers: KnownAnswers & Disposable };
}

class DeviceRunner implements CellRunner {
  readonly #device: Device;
  readonly #studies: readonly Study[];
  #kept: VanillaModel | null = null;

  constructor(device: Device, studies: readonly Study[]) {
    this.#device = device;
    this.#studies = studies;
  }

  get adapter() {
    return { name: this.#device.adapterName, software: this.#device.capabilities.software };
  }

  async runCell(
    cell: Cell,
    watcher: Watcher,
    unfinished?: Unfinished,
  ): Promise<Pick<CellResult, "subject" | "studies">> {
    const { config, sources } = cell;
    watcher.progress(0, "loading the model");
    const kept = await this.#keep(sources.model);
    const loaded: Decoder[] = [];
    const models: Models = {
      vanilla: kept.vanilla,
      copy: async (purpose, training) => this.#copy(kept, purpose, training),
      load: async (directory) => {
        const model = await loadModel(this.#device, directory);
        loaded.push(model);
        return model;
      },
    };
    try {
      const known = () => this.#ask(kept, cell, watcher);
      const subjectWatcher = part(watcher, 0, SUBJECT_SHARE);
      const kind = subjectKind(config.subject);
      const made = await kind.make({ config, sources, models, known, watcher: subjectWatcher, unfinished });
      this.#device.trim(); // The memory that training took is not needed any more.
      const subject = { vanilla: kept.vanilla, known: await known(), model: made.model, concept: sources.concept };
      const chosen = this.#studies.filter(({ name }) => name in config.studies);
      const results: Record<string, unknown> = {};
      for (const [i, study] of chosen.entries()) {
        watcher.signal.throwIfAborted();
        const length = (1 - SUBJECT_SHARE) / chosen.length;
        const studyWatcher = part(watcher, SUBJECT_SHARE + i * length, length);
        results[study.name] = await study.measure(subject, config.studies[study.name], studyWatcher);
      }
      return { subject: made.record as SubjectRecord, studies: results };
    } finally {
      for (const model of loaded) model.dispose();
    }
  }

  async close(): Promise<void> {
    this.#forget();
    this.#device.destroy();
  }

  async #keep(directory: string): Promise<VanillaModel> {
    if (this.#kept?.directory !== directory) {
      this.#forget();
      this.#kept = { directory, vanilla: await loadModel(this.#device, directory) };
    }
    return this.#kept;
  }

  /** The one copy of a vanilla model, in f32. An earlier cell may have changed it, so it gets the vanilla weights again. */
  #copy(kept: VanillaModel, purpose: string, training: readonly MemoryNeed[]): Decoder {
    const { vanilla } = kept;
    if (kept.copy) kept.copy.takeWeights(vanilla);
    else {
      requireMemory(this.#device, `${purpose} a copy of ${vanilla.label}`, [...copyMemory(vanilla), ...training]);
      kept.copy = vanilla.copyInF32();
    }
    return kept.copy;
  }

  async #ask(kept: VanillaModel, cell: Cell, watcher: Watcher): Promise<KnownAnswers> {
    const { model, concept, evaluation } = cell.config;
    const key = JSON.stringify([model, concept, evaluation]);
    if (kept.known?.key !== key) {
      kept.known?.answers[Symbol.dispose]();
      delete kept.known;
      kept.known = { key, answers: await askVanilla(kept.vanilla, cell, watcher) };
    }
    return kept.known.answers;
  }

  #forget(): void {
    this.#kept?.known?.answers[Symbol.dispose]();
    this.#kept?.copy?.dispose();
    this.#kept?.vanilla.dispose();
    this.#kept = null;
  }
}

/** The weights of a model's copy in f32, for `requireMemory`. */
function copyMemory({ weights }: Decoder): MemoryNeed[] {
  return Array.from(weights, ([name, { size }]) => ({ part: "weights of the copy", name, bytes: 4 * size }));
}

/** A watcher for a part of the work: its progress from 0 to 1 becomes `from` to `from + length`. */
function part(watcher: Watcher, from: number, length: number): Watcher {
  return { ...watcher, progress: (share, stage, now) => watcher.progress(from + share * length, stage, now) };
}
