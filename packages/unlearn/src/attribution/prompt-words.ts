import type { Text } from "@lethe/decoder";
import type { Span } from "@lethe/hooks";
import { LetheError, quote } from "@lethe/tensor";
import { anyObject, checkedAsync, optional, text } from "@lethe/tensor/checked";
import { type PromptForm, promptForm, promptText, promptTokens } from "../data/prompts.ts";
import { overlap, tokenSpans } from "../data/token-spans.ts";
import { inkedPlaces, splitWords, strip } from "../white-space.ts";

/** A word of a question, and its tokens in the prompt. */
export interface PromptWord {
  readonly text: string;
  /** Their places in the prompt from 0, in ascending order. */
  readonly tokens: readonly number[];
}

/** The prompt that asks a model a question, and where the question's words are in it. */
export interface AskedPrompt {
  readonly question: string;
  /** The prompt's tokens: those of `promptTokens`. */
  readonly tokens: readonly number[];
  /** The words of the question, in their order. What the prompt puts around the question belongs to none. */
  readonly words: readonly PromptWord[];
}

/**
 * Puts a question to a model as {@link promptTokens} does, and finds the tokens of its words. Words stand between white space, and
 * punctuation stays on its word.
 *
 * A token belongs to each word that it has characters of. So a word without its tokens leaves no trace, and every word has a token. Where
 * one token has characters of two words, it belongs to both. Where it has some of a word and some of the template, such as a question mark
 * and the line break after it, it belongs to the word. Many tokens hold the space before their word; a token of white space alone belongs
 * to the word after it too, so that no two spaces stay. Before the first word it is the template's, and after the last one also. Where a
 * form asks the question twice, a word has the tokens of both places. These choices are ours.
 * @param form default: `qa`
 * @throws {LetheError} when the question has no words, or when they are not found in the prompt's tokens: a chat template or a tokenizer
 *   may change a text
 * @throws {ModelUseError} as {@link promptTokens}
 * @function
 */
export const promptWords = checkedAsync(
  "promptWords",
  { tokenizer: anyObject, question: text, form: optional(promptForm) },
  async (tokenizer: Text, question: string, form: PromptForm = "qa"): Promise<AskedPrompt> => {
    const words = splitWords(question);
    if (words.length === 0) throw new LetheError(`promptWords: the question ${quote(question)} has no words`);
    const tokens = await promptTokens(tokenizer, question, form);
    const { text, spans } = await tokenSpans(tokenizer, tokens, { special: true });
    const places = inkedPlaces(text);
    const { starts, lengths } = findQuestion(places.map((place) => text[place]).join(""), question, (asked) =>
      promptText(tokenizer, asked, form),
    );
    const isBlank = ({ start, end }: Span) => strip(text.slice(start, end)) === "";
    let before = 0;
    return {
      question,
      tokens,
      words: words.map((word, i) => {
        const first = before;
        before += lengths[i]!;
        const asked = starts.map((start) => {
          const own = { start: places[start + first]!, end: places[start + before - 1]! + 1 };
          // Of the white space before the first word, nobody knows what is the template's.
          return { own, gap: { start: i === 0 ? own.start : places[start + first - 1]! + 1, end: own.start } };
        });
        const has = (span: Span) =>
          asked.some(({ own, gap }) => overlap(own, span) || (isBlank(span) && overlap(gap, span)));
        return { text: word, tokens: [...tokens.keys()].filter((token) => has(spans[token]!)) };
      }),
    };
  },
);

/** A question that no template holds, and no tokenizer or template changes. */
const STAND_IN = "\u{E000}";

/**
 * Finds the question in the text of the prompt's tokens. White space is left out on both sides: templates trim a question, and tokenizers put spaces
 * before a text or after a special token. A tokenizer may also compose characters (Unicode's NFC).
 * @param seen the text of the tokens, without white space
 * @param render the prompt for a question
 * @returns where the question begins in `seen`, each time that it is asked, and how many of its characters each word has
 */
function findQuestion(seen: string, question: string, render: (question: string) => string) {
  const pieces = render(STAND_IN).split(STAND_IN);
  const prompt = render(question);
  for (const form of [(text: string) => text, (text: string) => text.normalize("NFC")]) {
    const inked = (text: string) => splitWords(form(text)).join("");
    const asked = inked(question);
    const around = pieces.map(inked);
    if (around.length === 1 || around.join(asked) !== inked(prompt))
      throw new LetheError(
        `promptWords: the chat template leaves out the question or changes it; expected a prompt that holds ${quote(question)} as it is`,
      );
    let place = seen.indexOf(inked(prompt));
    if (place < 0) continue;
    const starts = around.slice(0, -1).map((piece) => {
      const start = place + piece.length;
      place = start + asked.length;
      return start;
    });
    return { starts, lengths: splitWords(question).map((word) => form(word).length) };
  }
  throw new LetheError(
    `promptWords: the tokenizer changes the text of the prompt that asks ${quote(question)}, so its words are not found in the tokens`,
  );
}
