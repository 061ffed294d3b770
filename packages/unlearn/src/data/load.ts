import { type Concept, ConceptDataError, readConcepts } from "./concepts.ts";

/**
 * {@link readConcepts} from disk, in Node.
 *
 * @throws ConceptDataError naming the file, the entry and the key of everything that is wrong
 */
export async function loadConcepts(file: string): Promise<Concept[]> {
  // Imported on call: whoever only parses, as a browser does, never touches node:fs.
  const { readFile } = await import("node:fs/promises");
  const read = (path: string) =>
    readFile(path, "utf8").catch((cause: Error) => {
      const what = "expected a JSON file in the form of ConceptVectors, such as data/llama.json";
      throw new ConceptDataError(`${path}: it cannot be read (${cause.message}); ${what}`, { cause });
    });
  return readConcepts(file, read);
}
