import { type Concept, ConceptDataError, readConcepts } from "./concepts.ts";

/**
 * {@link readConcepts} from disk, in Node. A file has at most 64 MiB.
 *
 * @throws ConceptDataError naming file, entry and key of every fault
 */
export async function loadConcepts(file: string): Promise<Concept[]> {
  // Imported on call, so that a bundle for a browser does not load node:fs.
  const { readTextFile } = await import("@lethe/tensor/node");
  return readConcepts(file, async (path) => {
    const text = await readTextFile(path).catch((cause: Error) => {
      throw new ConceptDataError(cause.message, { cause });
    });
    if (text !== undefined) return text;
    const expected = "a JSON file in the form of ConceptVectors, such as data/llama.json";
    throw new ConceptDataError(`${path}: there is no such file. Expected: ${expected}.`);
  });
}
