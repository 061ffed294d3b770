import { readFile } from "node:fs/promises";
import { type Concept, readConcepts } from "./concepts.ts";

/**
 * {@link readConcepts} from disk, in Node.
 *
 * @throws ConceptDataError naming the file, the entry and the key of everything that is wrong
 */
export function loadConcepts(file: string): Promise<Concept[]> {
  return readConcepts(file, (path) => readFile(path, "utf8"));
}
