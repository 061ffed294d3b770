import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExtractOptions, extract } from "../../src/corpus/extract.ts";
import { mentionsOf } from "../../src/corpus/mentions.ts";

/** A temporary folder for files of a corpus. */
export class CorpusFolder {
  private constructor(readonly path: string) {}

  static async open(): Promise<CorpusFolder> {
    return new CorpusFolder(await mkdtemp(join(tmpdir(), "lethe-corpus-")));
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Documents as JSON lines. */
export const jsonLines = (texts: readonly string[]): string =>
  texts.map((text) => `${JSON.stringify({ text, meta: {} })}\n`).join("");

/** Extracts paragraphs about Netflix, and gives them with the counts. */
export async function extractFrom(files: readonly string[], options: Partial<ExtractOptions> = {}) {
  const paragraphs: string[][] = (options.patterns ?? [0]).map(() => []);
  const count = await extract({
    files,
    patterns: [mentionsOf(["Netflix"], { matchCase: false })],
    unit: "document",
    limit: 1000,
    minMentions: 1,
    skipMalformed: false,
    keep: async (concept, paragraph) => void paragraphs[concept]!.push(paragraph),
    progress: () => {},
    signal: new AbortController().signal,
    ...options,
  });
  return { paragraphs, count };
}

/** A zstd frame whose blocks are not compressed: its format, RFC 8878, needs no more. */
export function rawZstdFrame(content: Uint8Array): Buffer {
  const block = 100_000; // less than the 128 KiB that a block may have
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]); // no content size, a window of 128 KiB
  const blocks = Array.from({ length: Math.ceil(content.length / block) }, (_, i) => {
    const bytes = content.subarray(i * block, (i + 1) * block);
    const last = (i + 1) * block >= content.length;
    const start = Buffer.alloc(3);
    start.writeUIntLE((bytes.length << 3) | (last ? 1 : 0), 0, 3);
    return Buffer.concat([start, bytes]);
  });
  return Buffer.concat([header, ...blocks]);
}
