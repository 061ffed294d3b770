import { type Concept, emphasise, otherWords, placeInContext, splitWords } from "@lethe/unlearn";
import type { UnpactOptions } from "../options.ts";
import type { Prompt } from "../schema.ts";

/** A way to ask a question again. */
export interface AskingAgain {
  readonly prompt: Prompt;
  /** The question as it is put then; null where there are no words to emphasise. */
  readonly apply: (question: PlainQuestion) => string | null;
}

/** A question, its words, and the places of its key words. */
export interface PlainQuestion {
  readonly question: string;
  readonly words: readonly string[];
  readonly key: readonly number[];
}

/** All ways in which the options ask again, each followed by its control. */
export function waysToAsk(
  { templates, contexts, pageWords, seed }: UnpactOptions,
  about: { readonly concept: Concept; readonly retain: Concept },
): AskingAgain[] {
  const other = ({ words, key }: PlainQuestion) => otherWords(words, key, seed);
  const emphases = templates.flatMap((name): AskingAgain[] => [
    { prompt: { kind: "emphasis", name, control: false }, apply: (asked) => emphasised(name, asked, asked.key) },
    { prompt: { kind: "emphasis", name, control: true }, apply: (asked) => emphasised(name, asked, other(asked)) },
  ]);
  const neutral: AskingAgain = {
    prompt: { kind: "neutral", name: "neutral", control: true },
    apply: (asked) => emphasised("neutral", asked, asked.key),
  };
  const inContext = contexts.flatMap((name) =>
    [about.concept, about.retain].map((concept, i): AskingAgain => {
      const text = splitWords(concept.text).slice(0, pageWords).join(" ");
      return {
        prompt: { kind: "context", name, control: i === 1 },
        apply: ({ question }) => placeInContext(name, question, { concept: concept.name, text }),
      };
    }),
  );
  return [...emphases, neutral, ...inContext];
}

/** A question with some of its words emphasised; null where there are none. */
export function emphasised(name: string, { question, words }: PlainQuestion, places: readonly number[]): string | null {
  if (places.length === 0) return null;
  return emphasise(
    name,
    question,
    places.map((place) => words[place]!),
  );
}
