import { bytesSource, type Folder, readWhole } from "@lethe/tensor";
import { tokenizerFiles } from "./files.ts";

/** What a model is loaded from besides its weights, and which of a tokenizer's files are of no use then. */
const small = ["config.json", "generation_config.json", "model.safetensors.index.json", ...tokenizerFiles];
const unread = ["tokenizer.model", "vocab.json", "merges.txt"];

/**
 * A folder whose small files are all read at once, so that over a network the time to ask for one passes once. What fails, fails when the
 * file is opened.
 * @param signal ends opening and reading any of its files
 */
export function readingAhead(folder: Folder, signal: AbortSignal): Folder {
  const read = async (file: string) => {
    const source = await folder.open(file, signal);
    return source && bytesSource(await readWhole(source), source.name);
  };
  const reads = new Map(small.filter((file) => !unread.includes(file)).map((file) => [file, read(file)]));
  for (const pending of reads.values()) pending.catch(() => {});
  return { ...folder, open: async (file) => reads.get(file) ?? folder.open(file, signal) };
}
