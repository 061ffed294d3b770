import { quote } from "@lethe/tensor";
import { z } from "zod";
import { parsed } from "../../parsed.ts";
import { strip } from "../../white-space.ts";
import { type Concept, ConceptDataError, type Fact } from "../concepts.ts";
import { type DataRecord, jsonRecords } from "../json-records.ts";
import { promptOf } from "../prompts.ts";
import { type DataFile, type DataFormat, hasFields } from "./format.ts";
import { sentence } from "./sentence.ts";

const factSchema = z.object({ question: sentence, answer: sentence, paraphrases: z.array(sentence).min(1) });

// No separator, so no other folder; no colon, percent sign, question mark or hash, which mean more in a URL or on Windows.
const fileName = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N} ._-]*\.json$/u;
const besideIt = "expected a list of questions, or the name of a .json file in the same folder";
const documentsName = new RegExp(`${fileName.source.slice(0, -1)}l$`, "u");
const documentsBesideIt = "expected a list of texts, or the name of a .jsonl file in the same folder";

const entrySchema = z
  .object({
    id: z.int().nullish(),
    ID: z.int().nullish(),
    Concept: sentence,
    Layer: z.int().nonnegative().nullish(),
    Dim: z.int().nonnegative().nullish(),
    // Left untrimmed: the prompts in QA_with_answers hold the questions with their stray spaces and line ends.
    QA: z.array(z.string().refine((question) => strip(question) !== "", "empty")).min(1),
    QA_with_answers: z.array(z.string()).optional(),
    paraphrases: z.array(z.array(sentence).min(1)).optional(),
    unrelated_QA: z.union([z.array(sentence).min(1), z.string().regex(fileName, besideIt)]),
    text_completion: z.array(z.object({ First_half: z.string(), Second_half: z.string() })).default([]),
    wikipedia_content: sentence,
    documents: z.union([z.array(sentence).min(1), z.string().regex(documentsName, documentsBesideIt)]).optional(),
  })
  .superRefine((entry, context) => {
    for (const key of ["QA_with_answers", "paraphrases"] as const) {
      const count = entry[key]?.length ?? entry.QA.length;
      if (count === entry.QA.length) continue;
      context.addIssue({
        code: "custom",
        path: [key],
        message: `${count} items for ${entry.QA.length} questions in QA`,
      });
    }
    entry.QA_with_answers?.forEach((text, i) => {
      const question = entry.QA[i];
      if (question === undefined || text.startsWith(promptOf(question))) return;
      const message = `expected to begin with the prompt for QA[${i}], ${quote(promptOf(question))}`;
      context.addIssue({ code: "custom", path: ["QA_with_answers", i], message });
    });
  })
  .transform(({ id, ID, ...entry }) => ({ ...entry, id: id ?? ID ?? null }));

const documentSchema = z.object({ text: sentence });

type Entry = z.infer<typeof entrySchema>;

/**
 * The form of the ConceptVectors benchmark (Hong et al. 2024), and of our own data. Concepts may share unrelated questions with answers, and
 * may have documents, each in a file beside it.
 */
export const conceptVectors: DataFormat<Entry> = {
  name: "concept-vectors",
  description: "ConceptVectors and data/llama.json: Concept, QA, unrelated_QA, wikipedia_content",
  recognises: (value) => hasFields(value, "Concept") || hasFields(value, "QA"),
  record: entrySchema,
  async concepts(records, file) {
    const shared = await eachFile(records, "unrelated_QA", (name) => factsIn(beside(file, name)));
    const documents = await eachFile(records, "documents", (name) => documentsIn(beside(file, name)));
    const seen = new Set<number | string>();
    return records.map((record) => {
      const { where, value } = record;
      const identity = value.id ?? value.Concept;
      if (seen.has(identity))
        throw new ConceptDataError(
          `${where}: ${quote(identity)} was already used by a record before. Give each an "id" of its own.`,
        );
      seen.add(identity);
      return conceptOf(record, shared, documents);
    });
  },
};

/** What each file holds that a field names. */
async function eachFile<T>(
  records: readonly DataRecord<Entry>[],
  field: "unrelated_QA" | "documents",
  read: (name: string) => Promise<T>,
): Promise<Map<string, T>> {
  const files = new Map<string, T>();
  for (const { value } of records) {
    const name = value[field];
    if (typeof name === "string" && !files.has(name)) files.set(name, await read(name));
  }
  return files;
}

async function factsIn({ path, readText }: DataFile): Promise<Fact[]> {
  const facts = jsonRecords(path, await readText(path)).map(({ where, value }) =>
    parsed(where, factSchema, value, ConceptDataError),
  );
  if (facts.length > 0) return facts;
  throw new ConceptDataError(`${path}: it holds no question. Expected a list of { question, answer, paraphrases }.`);
}

/** The texts of a file that has one `{ "text": … }` a line. */
async function documentsIn({ path, readText }: DataFile): Promise<string[]> {
  const documents = jsonRecords(path, await readText(path)).map(
    ({ where, value }) => parsed(where, documentSchema, value, ConceptDataError).text,
  );
  if (documents.length > 0) return documents;
  throw new ConceptDataError(`${path}: it holds no text. Expected one {"text": …} a line.`);
}

/** The file of this name in the same folder. */
function beside({ path, readText }: DataFile, name: string): DataFile {
  return { path: path.replace(/[^/\\]*$/, () => name), readText };
}

function conceptOf(
  { where, value: entry }: DataRecord<Entry>,
  shared: ReadonlyMap<string, readonly Fact[]>,
  files: ReadonlyMap<string, readonly string[]>,
): Concept {
  const { unrelated_QA: unrelated, Layer: layer, Dim: column, paraphrases } = entry;
  const unrelatedFacts = typeof unrelated === "string" ? shared.get(unrelated) : undefined;
  const documents = typeof entry.documents === "string" ? files.get(entry.documents) : entry.documents;
  const answers = entry.QA_with_answers?.map((text, i) => strip(text.slice(promptOf(entry.QA[i] as string).length)));
  if (paraphrases !== undefined && answers === undefined) {
    throw new ConceptDataError(`${where}: QA_with_answers: missing, though there are paraphrases of the answers.`);
  }
  return {
    id: entry.id,
    name: entry.Concept,
    questions: entry.QA.map(strip),
    ...(answers && { answers }),
    ...(paraphrases && { paraphrases }),
    unrelated: typeof unrelated === "string" ? (unrelatedFacts ?? []).map((fact) => fact.question) : unrelated,
    ...(unrelatedFacts && { unrelatedFacts }),
    text: entry.wikipedia_content,
    ...(documents && { documents }),
    completions: entry.text_completion.map((half) => ({ first: half.First_half, second: half.Second_half })),
    ...(layer != null && column != null && { vector: { layer, column } }),
  };
}
