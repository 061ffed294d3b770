import { integerBelow, type Random, randomOf, shuffled } from "@lethe/tensor";
import { type Concept, type Fact, factsOf, promptWithAnswer } from "@lethe/unlearn";

/** One text to learn. The tokenizer puts `<s>` before it; who encodes it adds `</s>`. */
export interface Document {
  readonly kind: "question" | "paragraph";
  readonly text: string;
}

/** Put before an answer now and then, so that it is not only learnt at the beginning of a sentence. */
const prefixes = ["In short:", "As we know:", "Note this:", "It is true:"] as const;
const prefixShare = 0.25;
const sentencesPerParagraph = { least: 2, most: 5 } as const;
const paraphrasesPerEpoch = 2;

/**
 * What the tiny model reads in one epoch: every question with its answer, and for each concept paragraphs of two to five
 * sentences that mix its answers, a quarter of them after a prefix, with two paraphrases a fact (of an unrelated one, which
 * has two, one): over two epochs all are read. The unrelated facts make paragraphs as a concept does. Everything is in
 * seeded order, and the same for the same arguments.
 *
 * @throws ConceptDataError if a concept has no paraphrases
 */
export function pretrainingDocuments(
  concepts: readonly Concept[],
  unrelated: readonly Fact[],
  seed: number,
  epoch: number,
): Document[] {
  const random = randomOf(seed, "pretraining", epoch);
  const groups = [...concepts.map(factsOf), unrelated];
  const questions = groups.flat().map(({ question, answer }) => promptWithAnswer(question, answer));
  const paragraphs = groups.flatMap((facts, group) =>
    cut(shuffled(sentencesToLearn(facts, { seed, epoch, group, random }), random), random),
  );
  return shuffled(
    [
      ...questions.map((text) => ({ kind: "question", text }) as const),
      ...paragraphs.map((text) => ({ kind: "paragraph", text }) as const),
    ],
    random,
  );
}

interface Draw {
  readonly seed: number;
  readonly epoch: number;
  readonly group: number;
  readonly random: Random;
}

function sentencesToLearn(facts: readonly Fact[], { seed, epoch, group, random }: Draw): string[] {
  return facts.flatMap(({ answer, paraphrases }, fact) => {
    const prefix = random() < prefixShare ? `${prefixes[integerBelow(prefixes.length, random)]} ` : "";
    // One order a fact for all epochs, from which each epoch takes the next few: none is left out for long.
    const order = shuffled(paraphrases, randomOf(seed, "paraphrases", group, fact));
    const count = Math.min(paraphrasesPerEpoch, Math.ceil(order.length / 2));
    const taken = Array.from({ length: count }, (_, i) => order[(epoch * count + i) % order.length] as string);
    return [prefix + answer, ...taken];
  });
}

/** Sentences in runs of two to five, each a paragraph. A single one left at the end joins the run before it, which then may have six. */
function cut(sentences: readonly string[], random: Random): string[] {
  const { least, most } = sentencesPerParagraph;
  const paragraphs: string[] = [];
  for (let from = 0; from < sentences.length; ) {
    const drawn = least + integerBelow(most - least + 1, random);
    const left = sentences.length - from;
    const length = left - drawn < least ? left : drawn;
    paragraphs.push(sentences.slice(from, from + length).join(" "));
    from += length;
  }
  return paragraphs;
}
