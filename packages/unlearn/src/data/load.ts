import { type Concept, ConceptDataError, readConcepts } from "./concepts.ts";

/** The paper's 6,000 documents of a concept are 60 to 90 MB. A JavaScript string cannot be much longer than this. */
const MAX_DOCUMENTS_BYTES = 512 * 2 ** 20;

/**
 * {@link readConcepts} from disk, in Node. A file has at most 64 MiB, a file of documents (`.jsonl`) 512 MiB.
 *
 * @throws ConceptDataError naming file, entry and key of every fault
 */
export async function loadConcepts(file: string): Promise<Concept[]> {
  // Imported on call, so that a bundle for a browser does not load node:fs.
  const { readTextFile } = await import("@lethe/tensor/node");
  return readConcepts(file, async (path) => {
    const most = path.endsWith(".jsonl") ? MAX_DOCUMENTS_BYTES : undefined;
    const text = await readTextFile(path, most).catch((cause: Error) => {
      throw new ConceptDataError(cause.message, { cause });
    });
    if (text !== undefined) return text;
    const expected = "a JSON file in the form of ConceptVectors, such as data/llama.json";
    throw new ConceptDataError(`${path}: there is no such file. Expected: ${expected}.`);
  });
}
