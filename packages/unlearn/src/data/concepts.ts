import { LetheError, parseJson, quote } from "@lethe/tensor";
import { anyObject, callable, checked, checkedAsync, list, text } from "@lethe/tensor/checked";
import { z } from "zod";
import { parsed } from "../parsed.ts";
import { strip } from "../white-space.ts";
import { promptOf } from "./prompts.ts";

/** A question, its answer, and sentences that tell the same in other words. */
export interface Fact {
  readonly question: string;
  readonly answer: string;
  readonly paraphrases: readonly string[];
}

/** One concept to unlearn, with what is asked about it and what is asked about everything else. */
export interface Concept {
  /** Its number in the ConceptVectors benchmark (`id`, or else `ID`); null where the file gives none, and the name identifies it. */
  readonly id: number | null;
  readonly name: string;
  /** Questions about the concept: the target. */
  readonly questions: readonly string[];
  /** One answer for each question. In the ConceptVectors files these are a model's greedy answers, cut after 30 tokens. */
  readonly answers?: readonly string[];
  /** For each question, sentences that tell its fact in other words. Only in our own data. */
  readonly paraphrases?: readonly (readonly string[])[];
  /** Questions about other things. */
  readonly unrelated: readonly string[];
  /** The unrelated questions with answers and paraphrases. Only in our own data. */
  readonly unrelatedFacts?: readonly Fact[];
  /** Running text about the concept (`wikipedia_content`). */
  readonly text: string;
  /** Texts of a corpus that are about the concept. Where there are some, they are what is forgotten, or retained. */
  readonly documents?: readonly string[];
  readonly completions: readonly { readonly first: string; readonly second: string }[];
  /** The concept vector: a column of a layer's down projection. It belongs to the model that the file was made for. */
  readonly vector?: { readonly layer: number; readonly column: number };
}

/** A concept file is wrong. The message lists every fault with file, entry and key. */
export class ConceptDataError extends LetheError {
  override readonly name = "ConceptDataError";
}

/**
 * Reads a text file. `path` is the one given to {@link readConcepts}, or a file in the same folder: a data file can name no file elsewhere.
 */
export type ReadText = (path: string) => Promise<string>;

/**
 * The concepts of a file in ConceptVectors' schema: ours (`data/*.json`) or the benchmark's. The caller decides how files are read, so
 * this runs in a browser. In Node, `loadConcepts` of `@lethe/unlearn/data/node` reads from disk.
 *
 * @throws ConceptDataError naming file, entry and key of every fault
 * @function
 */
export const readConcepts = checkedAsync(
  "readConcepts",
  { path: text, readText: callable },
  async (path: string, readText: ReadText): Promise<Concept[]> => {
    const entries = check(path, entryList, await readJson(path, readText)).map((entry, index) =>
      check(`${path}, ${describeEntry(entry, index)}`, entrySchema, entry),
    );
    const shared = new Map<string, readonly Fact[]>();
    for (const { unrelated_QA: file } of entries) {
      if (typeof file !== "string" || shared.has(file)) continue;
      const facts = beside(path, file);
      shared.set(file, check(facts, z.array(factSchema).min(1), await readJson(facts, readText)));
    }
    const documents = new Map<string, readonly string[]>();
    for (const { documents: file } of entries) {
      if (typeof file !== "string" || documents.has(file)) continue;
      documents.set(file, await readDocuments(beside(path, file), readText));
    }
    const seen = new Set<number | string>();
    return entries.map((entry, index) => {
      const where = `${path}, ${describeEntry(entry, index)}`;
      const identity = entry.id ?? entry.Concept;
      if (seen.has(identity))
        throw new ConceptDataError(
          `${where}: ${quote(identity)} was already used by an entry before. Give each an "id" of its own.`,
        );
      seen.add(identity);
      return conceptOf(entry, where, shared, documents);
    });
  },
);

/**
 * The concept's questions as facts.
 *
 * @throws ConceptDataError if the data have no paraphrases; the ConceptVectors files have none
 * @function
 */
export const factsOf = checked("factsOf", { concept: anyObject }, (concept: Concept): Fact[] => {
  const { answers, paraphrases } = concept;
  if (answers === undefined || paraphrases === undefined) {
    throw new ConceptDataError(
      `"${concept.name}" has no paraphrases, so no text can be made of its facts. Use data with "paraphrases", such as data/llama.json.`,
    );
  }
  return concept.questions.map((question, i) => ({
    question,
    answer: answers[i] as string,
    paraphrases: paraphrases[i] as readonly string[],
  }));
});

/**
 * The unrelated questions as facts. All concepts of a file share them.
 *
 * @throws ConceptDataError if the unrelated questions have no answers; those of the ConceptVectors files have none
 * @function
 */
export const unrelatedFactsOf = checked(
  "unrelatedFactsOf",
  { concepts: list },
  (concepts: readonly Concept[]): readonly Fact[] => {
    const facts = concepts[0]?.unrelatedFacts;
    if (facts === undefined) {
      throw new ConceptDataError(
        'The unrelated questions have no answers. Use data whose "unrelated_QA" names a file of facts, such as data/llama.json.',
      );
    }
    return facts;
  },
);

const sentence = z.string().overwrite(strip).min(1, "empty");

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

const entryList = z
  .array(z.unknown(), "expected a list of concepts in ConceptVectors' format, as in data/llama.json")
  .min(1, "expected at least one concept");

type Entry = z.infer<typeof entrySchema>;

function conceptOf(
  entry: Entry,
  where: string,
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

async function readJson(path: string, readText: ReadText): Promise<unknown> {
  return jsonOf(path, await readText(path));
}

/** The texts of a file that has one `{ "text": … }` a line. */
async function readDocuments(path: string, readText: ReadText): Promise<string[]> {
  const documents: string[] = [];
  for (const [at, line] of (await readText(path)).split("\n").entries()) {
    if (strip(line) === "") continue;
    const where = `${path}, line ${at + 1}`;
    documents.push(check(where, documentSchema, jsonOf(where, line)).text);
  }
  if (documents.length > 0) return documents;
  throw new ConceptDataError(`${path}: it holds no text. Expected one {"text": …} a line.`);
}

function jsonOf(where: string, json: string): unknown {
  try {
    return parseJson(json.replace(/^\uFEFF/, "")); // a byte-order mark is no part of JSON
  } catch (cause) {
    throw new ConceptDataError(`${where}: not JSON: ${(cause as Error).message}`, { cause });
  }
}

function check<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  return parsed(where, schema, value, ConceptDataError);
}

function describeEntry(entry: unknown, index: number): string {
  const name = (entry as { Concept?: unknown } | null)?.Concept;
  return `entry ${index}${typeof name === "string" ? ` (${quote(name)})` : ""}`;
}

function beside(path: string, file: string): string {
  return path.replace(/[^/\\]*$/, () => file);
}
