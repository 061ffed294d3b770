import { type Concept, ConceptDataError } from "./concepts.ts";
import { dataFormats } from "./formats/list.ts";
import { type DataOptions, readConcepts } from "./read-concepts.ts";

/** The paper's 6,000 documents of a concept are 60 to 90 MB. A JavaScript string cannot be much longer than this. */
const MAX_LINES_BYTES = 512 * 2 ** 20;

/**
 * {@link readConcepts} from disk, in Node. A file has at most 64 MiB, one of JSON lines that is called so (`.jsonl`) 512 MiB.
 *
 * @throws ConceptDataError as {@link readConcepts}, and where a file is absent, too large or no text
 */
export async function loadConcepts(file: string, options: DataOptions = {}): Promise<Concept[]> {
  // Imported on call, so that a bundle for a browser does not load node:fs.
  const { readTextFile } = await import("@lethe/tensor/node");
  return readConcepts(
    file,
    async (path) => {
      const most = path.endsWith(".jsonl") ? MAX_LINES_BYTES : undefined;
      const text = await readTextFile(path, most).catch((cause: Error) => {
        throw new ConceptDataError(cause.message, { cause });
      });
      if (text !== undefined) return text;
      const expected = `data in a format that Lethe reads (${dataFormats.map(({ name }) => name).join(", ")})`;
      throw new ConceptDataError(`${path}: there is no such file. Expected: ${expected}, such as data/llama.json.`);
    },
    options,
  );
}
