import { downloadZip } from "client-zip";
import { expose } from "comlink";
import type { Given } from "../dropped.ts";
import { type Settings, settingsOf } from "../settings.ts";
import { catalogue } from "./catalogue.ts";
import { Laboratory } from "./laboratory.ts";
import type { Catalogue } from "./messages.ts";
import { Places } from "./places.ts";

/** What the page asks of its Worker. */
class LabWorker {
  #laboratory: Laboratory | undefined;
  #places: Places | undefined;

  /**
   * Called once, before all else.
   * @param base the page's address
   * @param onRead is told how many bytes were read of a model that is elsewhere
   */
  start(base: string, onRead: (bytes: number) => void): Catalogue {
    this.#places = new Places(base, onRead);
    this.#laboratory = new Laboratory(this.#places);
    return catalogue();
  }

  /** The settings of a link. */
  settingsOf(hash: string): Settings {
    return settingsOf(hash);
  }

  drop(given: Given): void {
    this.#places!.drop(given);
  }

  adapter(): Promise<string> {
    return this.#laboratory!.adapter();
  }

  describe(...asked: Parameters<Laboratory["describe"]>) {
    return this.#laboratory!.describe(...asked);
  }

  run(...asked: Parameters<Laboratory["run"]>): Promise<void> {
    return this.#laboratory!.run(...asked);
  }

  stop(): void {
    this.#laboratory!.stop();
  }

  /** The report as one page. */
  async report(): Promise<Blob> {
    return new Blob([(await this.#laboratory!.results())["report.html"]!], { type: "text/html" });
  }

  /** The whole folder of results. */
  async results(): Promise<Blob> {
    const texts = Object.entries(await this.#laboratory!.results());
    return downloadZip(texts.map(([name, input]) => ({ name, input }))).blob();
  }

  /** An unlearned model's directory in Hugging Face's format. */
  checkpoint(cell: string): Promise<Blob> {
    return downloadZip(this.#laboratory!.checkpoint(cell)).blob();
  }

  inspect(...asked: Parameters<Laboratory["inspect"]>): Promise<void> {
    return this.#laboratory!.inspect(...asked);
  }

  attribute(...asked: Parameters<Laboratory["attribute"]>) {
    return this.#laboratory!.attribute(...asked);
  }
}

export type { LabWorker };

expose(new LabWorker());
