import { hubFolder } from "@lethe/decoder";
import { type Folder, filesFolder, httpFolder } from "@lethe/tensor";
import { ExperimentError } from "../../errors.ts";
import { type BundledFiles, DROPPED, LIST_PATH, modelPath } from "../bundled.ts";
import type { Given } from "../dropped.ts";
import { counted } from "./counted.ts";

/** Where models and data come from. */
export class Places {
  readonly #base: string;
  readonly #onRead: (bytes: number) => void;
  readonly #folders = new Map<string, Promise<Folder>>();
  #list: Promise<BundledFiles> | undefined;

  /**
   * @param base the page's address
   * @param onRead is told how many bytes were read of a model that is elsewhere
   */
  constructor(base: string, onRead: (bytes: number) => void) {
    this.#base = base;
    this.#onRead = onRead;
  }

  /** Takes files that a person gave, as the model {@link DROPPED}. */
  drop({ name, files }: Given): void {
    this.#folders.set(DROPPED, Promise.resolve(filesFolder(files, name)));
  }

  /**
   * The files of a model: a bundled one by its name, a directory by its URL, a repository of the Hugging Face Hub by its name, or those that
   * were dropped.
   * @throws ExperimentError when a name is none of these, or a bundled file is not there
   */
  model(name: string): Promise<Folder> {
    const folder = this.#folders.get(name) ?? this.#open(name);
    this.#folders.set(name, folder);
    folder.catch(() => this.#folders.delete(name));
    return folder;
  }

  /** The text of a bundled file. */
  async text(path: string): Promise<string> {
    return (await this.#fetch(path)).text();
  }

  /** The list of bundled files. */
  bundled(): Promise<BundledFiles> {
    this.#list ??= this.#fetch(LIST_PATH).then((response) => response.json());
    return this.#list;
  }

  async #open(name: string): Promise<Folder> {
    if (name === DROPPED)
      throw new ExperimentError("Choose the folder of a model, or drop it on this page. A link cannot hold the files.");
    // A model is hashed before it is loaded. The browser keeps it, so that it comes over the network once.
    const remote = { keep: true };
    if (/^https?:/.test(name)) return counted(httpFolder(name, remote), this.#onRead);
    if (name.includes("/")) return counted(await hubFolder(name, remote), this.#onRead);
    const files = (await this.bundled()).models[name];
    if (!files)
      throw new ExperimentError(
        `There is no model "${name}". Name a bundled one, the URL of a directory, or a repository of the Hugging Face Hub as org/name.`,
      );
    // Whole: they are small, and so no server needs to know ranges.
    const blobs = files.map(async (file) => new File([await (await this.#fetch(modelPath(name, file))).blob()], file));
    return filesFolder(await Promise.all(blobs), name);
  }

  async #fetch(path: string): Promise<Response> {
    const url = new URL(path, this.#base);
    const response = await fetch(url);
    if (response.ok) return response;
    throw new ExperimentError(
      `${url} answered ${response.status}. The page's own files are not all where it is served from.`,
    );
  }
}
