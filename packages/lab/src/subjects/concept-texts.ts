import { type Concept, forgetParagraphs, splitWords } from "@lethe/unlearn";
import { z } from "zod";

const tally = z.number().int().min(0);

/** How much text there is about a concept. */
export const conceptTexts = z.strictObject({
  /** Texts from a corpus; null where the concept's own text is used. */
  documents: tally.nullable(),
  /** What a method trains on: the texts as they are split. */
  paragraphs: tally,
  /** Words of all of it, as Python's `str.split()` counts them. */
  words: tally,
});

/** Counts a concept's texts. The seed mixes the sentences of some concepts, and changes no count. */
export function countTexts(concept: Concept, seed: number): z.infer<typeof conceptTexts> {
  const paragraphs = forgetParagraphs(concept, seed);
  const words = paragraphs.reduce((sum, paragraph) => sum + splitWords(paragraph).length, 0);
  return { documents: concept.documents?.length ?? null, paragraphs: paragraphs.length, words };
}
