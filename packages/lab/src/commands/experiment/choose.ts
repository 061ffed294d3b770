import { type Concept, type SettingName, settings } from "@lethe/unlearn";
import leven from "leven";
import type { ConceptFile } from "../../cells/plan.ts";
import { PRESETS, type PresetName, presets } from "../../cells/presets.ts";
import { slug } from "../../cells/slug.ts";
import { ExperimentError } from "../../errors.ts";
import type { Study } from "../../studies/study.ts";
import { subjects } from "../../subjects/list.ts";
import type { AnswersRecord, SubjectKind } from "../../subjects/subject.ts";

/** The preset of a name. @throws ExperimentError naming the known presets and the nearest */
export function choosePreset(name: string): PresetName {
  return PRESETS.find((preset) => preset === name) ?? unknown("preset", name, PRESETS);
}

/** Instead of the name of a study: every one. */
export const ALL_STUDIES = "all";

/**
 * Studies by name, in the order of the list, so that the order on the command line changes no cell's id. `all` asks for every one.
 * @throws ExperimentError naming the known studies and the nearest
 */
export function chooseStudies(names: readonly string[], studies: readonly Study[]): Study[] {
  const known = [...studies.map(({ name }) => name), ALL_STUDIES];
  for (const name of names) if (!known.includes(name)) unknown("study", name, known);
  return studies.filter(({ name }) => names.includes(name) || names.includes(ALL_STUDIES));
}

/** Instead of the name of a control: none at all. */
const NO_CONTROL = "none";

/** The kinds of subjects that are controls. */
export const controlKinds = subjects.flatMap(({ kind, control }: Kind) => (control ? [{ kind, ...control }] : []));
type Kind = Pick<SubjectKind<{ kind: string }, AnswersRecord>, "kind" | "control">;

/**
 * Controls by name, for a plan of cells: for each kind that is asked for its name. With no name, those of the preset; `none` asks for none.
 * @throws ExperimentError naming the known controls and the nearest
 */
export function chooseControls(names: readonly string[], preset: PresetName): Record<string, string[]> {
  const known = controlKinds.map(({ kind }) => kind);
  for (const name of names)
    if (![...known, NO_CONTROL].includes(name)) unknown("control", name, [...known, NO_CONTROL]);
  if (names.length > 1 && names.includes(NO_CONTROL))
    throw new ExperimentError(`--control ${NO_CONTROL} asks for no control at all, so no other can be asked for.`);
  const wanted = names.length > 0 ? names : presets[preset].controls;
  return Object.fromEntries(known.filter((kind) => wanted.includes(kind)).map((kind) => [kind, [kind]]));
}

/**
 * Settings of the restoration by name, in the order of the list, so that the order on the command line changes no cell's id.
 * @throws ExperimentError naming the known settings and the nearest
 */
export function chooseSettings(names: readonly string[]): SettingName[] {
  const known = settings.map(({ name }) => name);
  for (const name of names) if (!known.some((setting) => setting === name)) unknown("setting", name, known);
  return known.filter((name) => names.includes(name));
}

/**
 * Concepts by number, or by name without regard to case, accents and punctuation, from every file that holds them. With no name, those
 * of the preset, or the one that a file holds.
 * @returns for each file its concepts, in the order of the names, each once
 * @throws ExperimentError when no file holds a name, or when a file holds none of the preset's: it lists the known ones and the nearest
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
      const all = wanted === "all" || (names.length === 0 && file.concepts.length === 1);
      const chosen = all ? file.concepts : wanted.flatMap((name) => find(name, file) ?? []);
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
  return concepts.find((concept) => slug(concept.name) === slug(name) || concept.id?.toString() === name);
}

/** @throws ExperimentError naming the known ones and the nearest */
export function unknown(kind: string, name: string, known: readonly string[], where = ""): never {
  const distance = (candidate: string) => leven(candidate.toLowerCase(), name.toLowerCase());
  const nearest = [...known].sort((a, b) => distance(a) - distance(b))[0];
  const near = nearest !== undefined && distance(nearest) <= Math.max(2, name.length / 2);
  throw new ExperimentError(
    `There is no ${kind} "${name}"${where}.${near ? ` Did you mean "${nearest}"?` : ""}\nKnown: ${known.join(", ")}.`,
  );
}
