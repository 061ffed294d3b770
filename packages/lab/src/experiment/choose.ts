import type { Concept } from "@lethe/unlearn";
import leven from "leven";
import { ExperimentError } from "./errors.ts";
import { METHODS, type Method, PRESETS, type PresetName, presets } from "./presets.ts";
import { slug } from "./slug.ts";

/** @throws ExperimentError naming the known presets and the nearest */
export function choosePreset(name: string): PresetName {
  return PRESETS.find((preset) => preset === name) ?? unknown("preset", name, PRESETS);
}

/** @throws ExperimentError naming the known methods and the nearest */
export function chooseMethods(names: readonly string[]): Method[] {
  const chosen = names.map((name) => METHODS.find((method) => method === name) ?? unknown("method", name, METHODS));
  return [...new Set(chosen)];
}

/** A data file and what it holds, in its order. */
export interface ConceptFile {
  readonly path: string;
  readonly concepts: readonly Concept[];
}

/**
 * Concepts by name (case, accents and punctuation apart) or number, from every file that holds them; with no name, those of the
 * preset.
 * @returns for each file its concepts, in the order asked for, each once
 * @throws ExperimentError when no file holds a name, or a file nothing of the preset: it lists what there is, and the nearest
 */
export function chooseConcepts(
  names: readonly string[],
  preset: PresetName,
  files: readonly ConceptFile[],
): Map<ConceptFile, Concept[]> {
  const known = [...new Set(files.flatMap(({ concepts }) => concepts.map(({ name }) => name)))];
  for (const name of names) {
    if (!files.some((file) => find(name, file)))
      unknown("concept", name, known, ` in ${files.map(({ path }) => path).join(" or ")}`);
  }
  const wanted = names.length > 0 ? names : presets[preset].concepts;
  return new Map(
    files.map((file) => {
      const chosen = wanted === "all" ? file.concepts : wanted.flatMap((name) => find(name, file) ?? []);
      if (names.length === 0 && chosen.length === 0)
        throw new ExperimentError(
          `${file.path} holds none of the concepts of the ${preset} preset; choose others with --concept.\n` +
            `Known: ${file.concepts.map(({ name }) => name).join(", ")}.`,
        );
      return [file, [...new Set(chosen)]];
    }),
  );
}

function find(name: string, { concepts }: ConceptFile): Concept | undefined {
  return concepts.find((concept) => slug(concept.name) === slug(name) || String(concept.id) === name);
}

function unknown(kind: string, name: string, known: readonly string[], where = ""): never {
  const distance = (candidate: string) => leven(candidate.toLowerCase(), name.toLowerCase());
  const nearest = [...known].sort((a, b) => distance(a) - distance(b))[0];
  const near = nearest !== undefined && distance(nearest) <= Math.max(2, name.length / 2);
  throw new ExperimentError(
    `There is no ${kind} "${name}"${where}.${near ? ` Did you mean "${nearest}"?` : ""}\nKnown: ${known.join(", ")}.`,
  );
}
