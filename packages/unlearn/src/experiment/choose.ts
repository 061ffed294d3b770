import leven from "leven";
import type { Concept } from "../data/concepts.ts";
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

/**
 * Concepts by name (case, accents and punctuation apart) or number; with no name, those of the preset.
 * @returns in the order asked for, each once
 * @throws ExperimentError listing the data file's concepts and the nearest
 */
export function chooseConcepts(
  names: readonly string[],
  concepts: readonly Concept[],
  preset: PresetName,
  dataFile: string,
): Concept[] {
  const wanted = names.length > 0 ? names : presets[preset].concepts;
  if (wanted === "all") return [...concepts];
  const chosen = wanted.map((name) => {
    const found = concepts.find((concept) => slug(concept.name) === slug(name) || String(concept.id) === name);
    if (found !== undefined) return found;
    const asker = names.length > 0 ? "" : ` The ${preset} preset asks for it; choose others with --concept.`;
    return unknown(
      "concept",
      name,
      concepts.map((concept) => concept.name),
      ` in ${dataFile}`,
      asker,
    );
  });
  return [...new Set(chosen)];
}

function unknown(kind: string, name: string, known: readonly string[], where = "", afterwards = ""): never {
  const distance = (candidate: string) => leven(candidate.toLowerCase(), name.toLowerCase());
  const nearest = [...known].sort((a, b) => distance(a) - distance(b))[0];
  const near = nearest !== undefined && distance(nearest) <= Math.max(2, name.length / 2);
  throw new ExperimentError(
    `There is no ${kind} "${name}"${where}.${near ? ` Did you mean "${nearest}"?` : ""}${afterwards}\n` +
      `Known: ${known.join(", ")}.`,
  );
}
