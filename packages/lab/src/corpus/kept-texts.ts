import { once } from "node:events";
import { PassThrough } from "node:stream";
import { writeWhole } from "@lethe/tensor/node";

/** A file of texts that grows while a corpus is read: one `{ "text": … }` a line. It appears whole when it is closed, or not at all. */
export class KeptTexts {
  readonly #stream = new PassThrough();
  readonly #written: Promise<void>;

  constructor(path: string) {
    this.#written = writeWhole(path, this.#stream);
    // Whoever writes or closes is told of a failure. Until then it is nobody's.
    this.#written.catch(() => {});
  }

  /** @throws the file system's own error where writing fails */
  async add(text: string): Promise<void> {
    if (this.#stream.write(`${JSON.stringify({ text })}\n`)) return;
    await Promise.race([once(this.#stream, "drain"), this.#written]);
  }

  /** Finishes the file. @throws the file system's own error where writing fails */
  async close(): Promise<void> {
    this.#stream.end();
    await this.#written;
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    this.#stream.destroy(new Error("discarded"));
    await this.#written.catch(() => {});
  }
}
