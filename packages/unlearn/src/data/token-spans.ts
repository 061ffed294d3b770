import type { Text } from "@lethe/decoder";
import type { Span } from "@lethe/hooks";

/** The text of tokens, and the characters of it that each token has a part in, in UTF-16 units. */
export interface TokenSpans {
  readonly text: string;
  readonly spans: readonly Span[];
}

/**
 * Finds the characters of tokens in their text. A token that is a part of a character has this character. A token without text has an
 * empty span.
 * @param options as for `decode`
 */
export async function tokenSpans(
  tokenizer: Text,
  tokens: readonly number[],
  options?: Parameters<Text["decode"]>[1],
): Promise<TokenSpans> {
  const texts = await Promise.all(tokens.map((_, t) => tokenizer.decode(tokens.slice(0, t + 1), options)));
  let reached = 0;
  const spans = texts.map((text) => {
    const start = reached;
    // At the end stand the bytes of a character that is not whole yet. SentencePiece's decoder also makes the characters before it
    // unreadable, where they are bytes too; they were reached already.
    const whole = text.replace(/\uFFFD+$/, "");
    reached = Math.max(reached, whole.length);
    return { start, end: whole === text ? reached : reached + 1 };
  });
  return { text: texts.at(-1) ?? "", spans };
}

/** Whether two spans share a place. */
export function overlap(one: Span, other: Span): boolean {
  return one.start < other.end && other.start < one.end;
}
