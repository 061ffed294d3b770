import { integerBelow, type Random, randomOf, shuffled } from "@lethe/tensor";
import { type Concept, type Fact, factsOf, promptWithAnswer } from "@lethe/unlearn";

/** Put before some answers, so that an answer is not learnt at the beginning of a sentence alone. */
const prefixes = ["In short:", "As we know:", "Note this:", "It is true:"] as const;
const prefixShare = 0.25;
const sentencesPerParagraph = { least: 2, most: 5 } as const;
const paraphrasesPerEpoch = 2;

/**
 * What a tiny model reads in one epoch: every question with its answer, and for each concept paragraphs of two to five sentences.
 * The paragraphs mix the answers, a quarter of them after a prefix, with half of each fact's paraphrases (at most two), so that
 * two epochs together hold all of them. The unrelated facts make paragraphs as a concept does. The order is random, and the same
 * arguments give the same texts. The tokenizer puts `<s>` before each; the caller adds `</s>`.
 *
 * @throws ConceptDataError if a concept has no paraphrases
 */
export function pretrainingDocuments(
  concepts: readonly Concept[],
  unrelated: readonly Fact[],
  seed: number,
  epoch: number,
): string[] {
  const random = randomOf(seed, "pretraining", epoch);
  const groups = [...concepts.map(factsOf), unrelated];
  const questions = groups.flat().map(({ question, answer }) => promptWithAnswer(question, answer));
  const paragraphs = groups.flatMap((facts, group) =>
    cut(shuffled(sentencesToLearn(facts, { seed, epoch, group, random }), random), random),
  );
  return shuffled([...questions, ...paragraphs], random);
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
    // A fact's paraphrases have one order for all epochs. Each epoch takes the next few, so none is left out for long.
    const order = shuffled(paraphrases, randomOf(seed, "paraphrases", group, fact));
    const count = Math.min(paraphrasesPerEpoch, Math.ceil(order.length / 2));
    const taken = Array.from({ length: count }, (_, i) => order[(epoch * count + i) % order.length] as string);
    return [prefix + answer, ...taken];
  });
}

/** Paragraphs of two to five sentences. A single sentence left at the end joins the last paragraph, which may then have six. */
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
