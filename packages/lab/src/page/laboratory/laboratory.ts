import { loadModel } from "@lethe/auto";
import type { Decoder, ModelPlace, Text } from "@lethe/decoder";
import { type Device, type Folder, filesFolder, openDevice } from "@lethe/tensor";
import {
  type Attribution,
  answerQuestions,
  attribute,
  type Concept,
  methodNamed,
  promptTokens,
  promptWords,
  readConcepts,
  settings as restorationSettings,
  restoredAnswer,
  type SettingName,
} from "@lethe/unlearn";
import type { Cell } from "../../cells/cell.ts";
import { deviceRunner } from "../../cells/device-runner.ts";
import { readModelFamily, readModelSizes } from "../../cells/model-family.ts";
import { modelReference, planCells } from "../../cells/plan.ts";
import { presets } from "../../cells/presets.ts";
import { reportFiles } from "../../cells/report-files.ts";
import { readResults } from "../../cells/results.ts";
import { adapterTitle, type CellRunner, runCells } from "../../cells/run-cells.ts";
import { chooseConcepts, chooseStudies } from "../../commands/experiment/choose.ts";
import { ExperimentError } from "../../errors.ts";
import { modelBlobs } from "../../host/model-blobs.ts";
import { chooseRecipe } from "../../recipes/choose.ts";
import { parseRecord, type RecipeRecord } from "../../recipes/record.ts";
import { studies } from "../../studies/list.ts";
import type { RestorationOptions } from "../../studies/restoration/schema.ts";
import { isControl } from "../../subjects/controls.ts";
import { dataPath, recipePath } from "../bundled.ts";
import { commandOf, type Settings } from "../settings.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Inspected, InspectedToken, LabEvent, ModelFacts, PlannedCell, WordScores } from "./messages.ts";
import type { Places } from "./places.ts";

/** A finished experiment, and what was made in it. */
interface Finished {
  readonly settings: Settings;
  readonly cells: readonly Cell[];
  readonly store: MemoryStore;
  readonly folder: Folder;
  /** The files of each subject's model, by the cell's id. */
  readonly models: ReadonlyMap<string, readonly File[]>;
}

/** Two models on the device, to be read side by side. */
interface Pair {
  readonly cell: string;
  readonly vanilla: Decoder;
  readonly unlearned: Decoder;
}

/** What the page does, without the page: it runs in a Worker, and in Node where a test wants it. One thing at a time. */
export class Laboratory {
  readonly #places: Pick<Places, "model" | "text" | "bundled">;
  #device: Device | undefined;
  #runner: CellRunner | undefined;
  #finished: Finished | undefined;
  #pair: Pair | undefined;
  #running: AbortController | undefined;
  /** Models that were hashed: every change of the form asks for the rate on record, which is found by the hash. */
  readonly #references = new Map<ModelPlace, ReturnType<typeof modelReference>>();

  /** @param device a device that is open. Default: the best there is, opened when it is needed */
  constructor(places: Pick<Places, "model" | "text" | "bundled">, device?: Device) {
    this.#places = places;
    this.#device = device;
  }

  /** The adapter in words. @throws AdapterError where there is none; it says what to do */
  async adapter(): Promise<string> {
    const device = await this.#open();
    return adapterTitle({ name: device.adapterName, software: device.capabilities.software });
  }

  /** What can be chosen for a model, and what is taken where nothing is. */
  async describe(model: string, preset: Settings["preset"], method: Settings["method"]): Promise<ModelFacts> {
    const folder = await this.#places.model(model);
    const { concepts } = await this.#data(folder);
    const sources = { records: await this.#records(), changes: {} };
    const { sha256 } = await this.#reference(folder);
    const recipe = chooseRecipe(methodNamed(method), sha256, presets[preset].epochs, sources);
    const { learningRate, epochs, steps } = recipe;
    return {
      layers: (await readModelSizes(folder)).num_hidden_layers,
      concepts: concepts.map(({ name }) => name),
      rate: learningRate,
      epochs,
      steps: steps ?? null,
    };
  }

  /**
   * Runs an experiment: the cells that `npm run experiment` makes with the same settings, to the same bytes on the same adapter.
   * @param tell is told what happens
   * @throws the reason of {@link stop}, or what a cell throws
   */
  async run(settings: Settings, tell: (event: LabEvent) => void): Promise<void> {
    if (this.#running) throw new ExperimentError("An experiment is running already.");
    const running = new AbortController();
    this.#running = running;
    this.#forgetPair();
    this.#finished = undefined;
    try {
      const folder = await this.#places.model(settings.model);
      const { concepts } = await this.#data(folder);
      const file = { path: "the data", concepts };
      const [concept] = chooseConcepts([settings.concept], settings.preset, [file]).get(file)!;
      const cells = await this.#plan({ ...settings, folder, concepts, concept: concept! });
      tell({ kind: "planned", cells: cells.map(plannedCell), command: commandOf(settings) });
      const store = new MemoryStore();
      const models = new Map<string, readonly File[]>();
      const runner = await this.#runnerOf();
      await runCells(cells, {
        store,
        runner,
        studies: chooseStudies(settings.studies, studies),
        signal: running.signal,
        observer: {
          progress: (done, cell, stage, now) =>
            tell({ kind: "progress", share: done / cells.length, cell: cell.id, stage, now }),
          remark: (line) => tell({ kind: "remark", line }),
          forecast: (_, { seconds }) => tell({ kind: "forecast", seconds }),
          live: (cell, now) => tell({ kind: "live", cell: cell.id, now }),
          finished: (cell, result, { seconds }) => tell({ kind: "finished", cell: cell.id, result, seconds }),
        },
        // Of a control nobody wants the weights.
        onMade: async (cell, model) => {
          if (!isControl(cell)) models.set(cell.id, await modelBlobs(model, folder));
        },
      });
      this.#finished = { settings, cells, store, folder, models };
    } finally {
      this.#running = undefined;
    }
  }

  /** Stops the experiment that runs, if one does. */
  stop(): void {
    this.#running?.abort(new ExperimentError("Stopped."));
  }

  /** The folder that `npm run experiment` writes, as far as it is the same everywhere: the report with its tables and figures, and the cells. */
  async results(): Promise<Record<string, string>> {
    const { settings, cells, store } = this.#done();
    const chosen = chooseStudies(settings.studies, studies);
    const { files } = await reportFiles(await readResults(store, cells, chosen), chosen, commandOf(settings));
    const texts = { ...files };
    for (const kind of ["cells", "timings"] as const)
      for (const id of await store.list(kind)) texts[store.where(kind, id)] = (await store.read(kind, id))!;
    return texts;
  }

  /** The files of an unlearned model's checkpoint. */
  checkpoint(cell: string): readonly File[] {
    return this.#done().models.get(cell)!;
  }

  /**
   * Lets the unlearned model answer a question, with a part of it restored.
   * @param tell is told each token
   */
  async inspect({ cell, question, restored }: Inspected, tell: (token: InspectedToken) => void): Promise<void> {
    const { vanilla, unlearned } = await this.#pairOf(cell);
    const { config } = this.#cellOf(cell);
    const { prompt: form, maxAnswerTokens: maxTokens } = config.evaluation;
    const text = vanilla.text!;
    const prompt = await promptTokens(text, question, form);
    const { windowRadius: radius } = config.studies.restoration as RestorationOptions;
    const part = restored && { setting: settingNamed(restored.setting), centre: restored.centre, radius };
    const steps = restoredAnswer({ vanilla, unlearned, prompt, restored: part, maxTokens });
    const read = [...prompt];
    for await (const { likeliest, token, ...step } of steps) {
      const pieces = await piecesAfter(
        text,
        read,
        likeliest.map((one) => one.token),
      );
      const named = likeliest.map(({ probability }, i) => ({ text: pieces[i]!, probability }));
      tell({ ...step, text: pieces[0]!, likeliest: named });
      read.push(token);
    }
  }

  /** What each word of a question does for the vanilla model's answer, in that model and in the unlearned one, by leaving it out. */
  async attribute(cell: string, question: string): Promise<WordScores> {
    const { vanilla, unlearned } = await this.#pairOf(cell);
    const { prompt, maxAnswerTokens: maxTokens } = this.#cellOf(cell).config.evaluation;
    const text = vanilla.text!;
    const [answer] = await answerQuestions(vanilla, [question], { maxTokens, prompt });
    const asked = await promptWords(text, question, prompt);
    const of = async (model: Decoder): Promise<Attribution> =>
      (await attribute(model, [{ asked, answer: answer!.tokens }], { tokenizer: text }))[0]!;
    const words = asked.words.map(({ text }) => text);
    return { words, answer: answer!.text, vanilla: await of(vanilla), unlearned: await of(unlearned) };
  }

  async #open(): Promise<Device> {
    this.#device ??= await openDevice();
    return this.#device;
  }

  async #runnerOf(): Promise<CellRunner> {
    this.#runner ??= deviceRunner(await this.#open(), studies);
    return this.#runner;
  }

  #reference(folder: Folder): ReturnType<typeof modelReference> {
    const reference = this.#references.get(folder) ?? modelReference(folder);
    this.#references.set(folder, reference);
    // A fault of the network may pass.
    reference.catch(() => this.#references.delete(folder));
    return reference;
  }

  async #data(folder: Folder): Promise<{ readonly concepts: readonly Concept[] }> {
    const path = dataPath(await readModelFamily(folder));
    return { concepts: await readConcepts(path, (file) => this.#places.text(file)) };
  }

  async #records(): Promise<RecipeRecord[]> {
    const { recipes } = await this.#places.bundled();
    return Promise.all(recipes.map(async (name) => parseRecord(await this.#places.text(recipePath(name)), name)));
  }

  async #plan(
    chosen: Omit<Settings, "concept"> & { folder: Folder; concepts: readonly Concept[]; concept: Concept },
  ): Promise<Cell[]> {
    const { folder, concepts, concept, preset, method, rate, epochs, controls, seed } = chosen;
    const chosenStudies = chooseStudies(chosen.studies, studies);
    return planCells([{ directory: folder, file: { path: "the data", concepts }, concepts: [concept] }], {
      preset,
      seeds: [seed],
      subjects: { unlearned: [method], ...Object.fromEntries(controls.map((kind) => [kind, [kind]])) },
      studies: chosenStudies,
      references: this.#references,
      recipes: {
        records: await this.#records(),
        changes: { ...(rate !== undefined && { learningRate: rate }), ...(epochs !== undefined && { epochs }) },
      },
    });
  }

  #done(): Finished {
    if (this.#finished) return this.#finished;
    throw new ExperimentError("There is no finished experiment yet.");
  }

  #cellOf(id: string): Cell {
    return this.#done().cells.find((cell) => cell.id === id)!;
  }

  async #pairOf(cell: string): Promise<Pair> {
    if (this.#pair?.cell === cell) return this.#pair;
    this.#forgetPair();
    const device = await this.#open();
    const { folder } = this.#done();
    const vanilla = await loadModel(device, folder);
    const unlearned = await loadModel(device, filesFolder(this.checkpoint(cell), "the unlearned model"));
    this.#pair = { cell, vanilla, unlearned };
    return this.#pair;
  }

  #forgetPair(): void {
    this.#pair?.vanilla.dispose();
    this.#pair?.unlearned.dispose();
    this.#pair = undefined;
  }
}

/** What each of some tokens adds to a text. A piece of a character alone, or a special token, is written out. */
async function piecesAfter(text: Text, read: readonly number[], tokens: readonly number[]): Promise<string[]> {
  const before = await text.decode(read);
  return Promise.all(
    tokens.map(async (token) => {
      const after = await text.decode([...read, token]);
      const added = after.startsWith(before) ? after.slice(before.length) : "";
      return added || text.decode([token], { special: true });
    }),
  );
}

function settingNamed(name: SettingName) {
  return restorationSettings.find((setting) => setting.name === name)!;
}

function plannedCell({ id, config }: Cell): PlannedCell {
  return { id, config, control: isControl({ config }) };
}
