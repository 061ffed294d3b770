import { type Concept, readConcepts } from "./concepts.ts";

/**
 * {@link readConcepts} from disk, in Node.
 *
 * @throws ConceptDataError naming the file, the entry and the key of everything that is wrong
 */
export async function loadConcepts(file: string): Promise<Concept[]> {
  // Imported on call: whoever only parses, as a browser does, never touches node:fs.
  const { readFile } = await import("node:fs/promises");
  return readConcepts(file, (path) => readFile(path, "utf8"));
}
