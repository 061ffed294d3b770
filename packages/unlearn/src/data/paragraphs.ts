import { randomOf, shuffled } from "@lethe/tensor";
import { anyObject, atLeast, checked, list, optional, text, wholeNumber } from "@lethe/tensor/checked";
import { strip } from "../white-space.ts";
import { type Concept, ConceptDataError } from "./concepts.ts";

/** How many paragraphs {@link forgetParagraphs} makes of a concept's paraphrases: four steps of four, as in the tiny study. */
const paragraphCount = 16;

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** A sentence never goes on after one of these (Unicode's UAX 29, rule SB4). */
const lineBreaks = /[\n\r\u0085\u2028\u2029]+/;

/** The sentences of a text, without the white space around them. @function */
export const sentencesOf = checked("sentencesOf", { text }, (text: string): string[] =>
  // Line by line, because the time of a segmenter grows with the square of its text's length.
  text
    .split(lineBreaks)
    .flatMap((line) => Array.from(segmenter.segment(line), ({ segment }) => strip(segment)))
    .filter((sentence) => sentence !== ""),
);

/**
 * Joins whole sentences by spaces into paragraphs of just over `characters` characters; the last may be shorter. The paper's rule, with
 * its 400 characters.
 * @function
 */
export const splitParagraphs = checked(
  "splitParagraphs",
  { text, characters: optional(atLeast(1)) },
  (text: string, characters = 400): string[] => {
    const paragraphs: string[] = [];
    let paragraph = "";
    for (const sentence of sentencesOf(text)) {
      paragraph = paragraph === "" ? sentence : `${paragraph} ${sentence}`;
      if (paragraph.length > characters) {
        paragraphs.push(paragraph);
        paragraph = "";
      }
    }
    return paragraph === "" ? paragraphs : [...paragraphs, paragraph];
  },
);

/**
 * The texts that are to be forgotten. For a concept with passages: these. For one with documents: each of them, split by
 * {@link splitParagraphs}. For one with paraphrases: each paraphrase once, in an order that the seed decides, in sixteen paragraphs of two or three, without the answers. For any
 * other concept: its text, split by {@link splitParagraphs}.
 * @function
 */
export const forgetParagraphs = checked(
  "forgetParagraphs",
  { concept: anyObject, seed: wholeNumber },
  (concept: Concept, seed: number): string[] => {
    if (concept.passages !== undefined) return [...concept.passages];
    if (concept.documents !== undefined) return concept.documents.flatMap((document) => splitParagraphs(document));
    if (concept.paraphrases === undefined) return splitParagraphs(concept.text);
    const sentences = shuffled(concept.paraphrases.flat(), randomOf(seed, "forget", concept.id ?? concept.name));
    const count = Math.min(paragraphCount, sentences.length);
    return Array.from({ length: count }, (_, i) => {
      const bounds = [i, i + 1].map((part) => Math.round((part * sentences.length) / count));
      return sentences.slice(...bounds).join(" ");
    });
  },
);

/**
 * The concept whose text is to be retained while concept `index` of `concepts` is forgotten: that of a second file, where there is one; or
 * else the one three places further on; after the last comes the first. Give all concepts of the file, also when only some of them are
 * studied.
 *
 * @throws ConceptDataError if there is no other concept
 * @function
 */
export const retainConceptOf = checked(
  "retainConceptOf",
  { concepts: list, index: atLeast(0) },
  (concepts: readonly Concept[], index: number): Concept => {
    const concept = concepts[index];
    if (concept === undefined) throw new ConceptDataError(`There is no concept ${index} among ${concepts.length}.`);
    if (concept.retain !== undefined) return concept.retain;
    if (concepts.length < 2) {
      throw new ConceptDataError(
        `"${concept.name}" is the only concept: the retain text has to come from another one. Add one to the file.`,
      );
    }
    const step = concepts.length === 3 ? 1 : 3;
    return concepts[(index + step) % concepts.length] as Concept;
  },
);
