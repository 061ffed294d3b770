import { LetheError } from "@lethe/tensor";
import { anyObject, checked, list } from "@lethe/tensor/checked";

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
  /** For each question, sentences that tell its fact in other words. Only in our own data, and in some files of TOFU. */
  readonly paraphrases?: readonly (readonly string[])[];
  /** Questions about other things. */
  readonly unrelated: readonly string[];
  /** The unrelated questions with answers and paraphrases. The ConceptVectors files have none. */
  readonly unrelatedFacts?: readonly Fact[];
  /** Running text about the concept (`wikipedia_content`). */
  readonly text: string;
  /** Texts of a corpus that are about the concept. Where there are some, they are what is forgotten, or retained. */
  readonly documents?: readonly string[];
  /** Questions with their answers. Where there are some, they are what is forgotten, or retained, each whole and as it is. */
  readonly passages?: readonly string[];
  readonly completions: readonly { readonly first: string; readonly second: string }[];
  /** The concept vector: a column of a layer's down projection. It belongs to the model that the file was made for. */
  readonly vector?: { readonly layer: number; readonly column: number };
  /** What is retained while this concept is forgotten, where it comes from a file of its own. */
  readonly retain?: Concept;
}

/** A data file is wrong. The message names file, line and field. */
export class ConceptDataError extends LetheError {
  override readonly name = "ConceptDataError";
}

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
