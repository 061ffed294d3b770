import { quote } from "@lethe/tensor";
import { callable, checkedAsync, optional, options, text } from "@lethe/tensor/checked";
import { parsed } from "../parsed.ts";
import { type Concept, ConceptDataError } from "./concepts.ts";
import type { DataFile, DataFormat, ReadText } from "./formats/format.ts";
import { dataFormatNamed, dataFormats } from "./formats/list.ts";
import { type DataRecord, jsonRecords } from "./json-records.ts";

/** How a data file is read. */
export interface DataOptions {
  /** The name of its format. Default: the format that recognises most of its records. */
  readonly format?: string | undefined;
  /**
   * A second file of questions and answers, in any format: the unrelated questions, and what is retained. Needed where the data have none of
   * their own.
   */
  readonly unrelated?: string | undefined;
}

/**
 * The concepts of a data file in one of {@link dataFormats}, as JSON or JSON lines. The caller decides how files are read, so this runs in a
 * browser. In Node, `loadConcepts` of `@lethe/unlearn/data/node` reads from disk.
 *
 * @throws ConceptDataError naming file, line and field of what is wrong, or saying which file or format is to be given
 * @throws {LetheError} when there is no format of this name
 * @function
 */
export const readConcepts = checkedAsync(
  "readConcepts",
  { path: text, readText: callable, options: options({ format: optional(text), unrelated: optional(text) }) },
  async (path: string, readText: ReadText, { format, unrelated }: DataOptions = {}): Promise<Concept[]> => {
    const among = format === undefined ? dataFormats : [dataFormatNamed(format)];
    const concepts = await conceptsIn({ path, readText }, among);
    if (concepts.every(isComplete)) {
      if (unrelated === undefined) return concepts;
      throw new ConceptDataError(
        `${path} has unrelated questions of its own, so there is no place for ${unrelated}. Do without the second file.`,
      );
    }
    if (unrelated === undefined)
      throw new ConceptDataError(
        `${path} holds what is to be forgotten, and neither unrelated questions nor what is to be retained. Give a second file of ` +
          "questions and answers for both, such as TOFU's retain99.json (the option unrelated, or --unrelated FILE).",
      );
    const [other, ...more] = await conceptsIn({ path: unrelated, readText }, dataFormats);
    if (more.length > 0 || isComplete(other!))
      throw new ConceptDataError(
        `${unrelated}: expected questions and answers alone, and not concepts that have unrelated questions of their own.`,
      );
    return concepts.map((concept) => {
      requireApart(concept, other!, unrelated);
      return { ...concept, unrelated: other!.questions, unrelatedFacts: factsIn(other!), retain: other! };
    });
  },
);

function isComplete({ unrelated }: Concept): boolean {
  return unrelated.length > 0;
}

/** The concepts of a file in one of these formats. Where several recognise it, they must read the same in it. */
async function conceptsIn(file: DataFile, among: readonly DataFormat[]): Promise<Concept[]> {
  const records = jsonRecords(file.path, await file.readText(file.path));
  const formats = formatsOf(records, file, among);
  const readings = await Promise.all(formats.map((format) => reading(format, records, file)));
  if (readings.length > 1 && new Set(readings.map((concepts) => JSON.stringify(concepts))).size > 1)
    throw new ConceptDataError(
      `${file.path}: its records have the fields of ${formats.map(({ name }) => name).join(" and of ")}. Say which format it is (the ` +
        "option format, or --format NAME).",
    );
  return [...readings[0]!];
}

function reading(format: DataFormat, records: readonly DataRecord[], file: DataFile) {
  const checked = records.map(({ where, value }) => {
    return { where, value: parsed(where, format.record, value, ConceptDataError) };
  });
  return format.concepts(checked, file);
}

/** The formats that recognise most records. A record that they do not recognise is then found to be malformed. */
function formatsOf(records: readonly DataRecord[], { path }: DataFile, among: readonly DataFormat[]): DataFormat[] {
  const described = among.map(({ name, description }) => `${name} (${description})`).join("; ");
  const [first] = records;
  if (first === undefined) throw new ConceptDataError(`${path}: it holds no record. Expected ${described}.`);
  const counts = among.map((format) => records.filter(({ value }) => format.recognises(value)).length);
  const most = Math.max(...counts);
  if (most > 0) return among.filter((_, i) => counts[i] === most);
  const fields = quote(Object.keys(first.value).join(", "));
  throw new ConceptDataError(
    `${first.where}: its fields are ${fields}, which is no concept data. ${withinHint(first)}Expected a record of ${described}. A file ` +
      "holds a JSON array of records, or one record a line.",
  );
}

/** What to do where the records are not the file's own, but those of one of its fields. */
function withinHint({ value }: DataRecord): string {
  const found = Object.entries(value).find(([, within]) => {
    const [record] = Array.isArray(within) ? within : [];
    return typeof record === "object" && record !== null && dataFormats.some(({ recognises }) => recognises(record));
  });
  return found ? `The list in its field ${quote(found[0])} is: make that list a file of its own. ` : "";
}

/** The questions of a set as facts, without paraphrases where it has none. */
function factsIn({ questions, answers = [], paraphrases = [] }: Concept) {
  return questions.map((question, i) => ({ question, answer: answers[i]!, paraphrases: paraphrases[i] ?? [] }));
}

/** @throws ConceptDataError when a question is to be forgotten and retained */
function requireApart({ name, questions }: Concept, { questions: others }: Concept, path: string): void {
  const forgotten = new Set(questions);
  const both = others.filter((question) => forgotten.has(question));
  if (both.length > 0)
    throw new ConceptDataError(
      `${path}: ${both.length} of its questions ${both.length > 1 ? "are" : "is"} to be forgotten with ${name}, so cannot be retained: ` +
        `${quote(both[0])}. Give a file of other questions.`,
    );
}
