import { type Concept, ConceptDataError, readConcepts } from "./concepts.ts";

/**
 * {@link readConcepts} from disk, in Node.
 *
 * @throws ConceptDataError naming file, entry and key of every fault
 */
export async function loadConcepts(file: string): Promise<Concept[]> {
  // Imported on call, so that a bundle for a browser does not load node:fs.
  const { readFile } = await import("node:fs/promises");
  const read = (path: string) =>
    readFile(path, "utf8").catch((cause: Error) => {
      const what = "expected a JSON file in the form of ConceptVectors, such as data/llama.json";
      throw new ConceptDataError(`${path}: it cannot be read (${cause.message}); ${what}`, { cause });
    });
  return readConcepts(file, read);
}
