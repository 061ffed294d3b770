import type { KnownPreTokenizer } from "../known-parts.ts";
import { toByteCharacters } from "./bytes.ts";
import { byteLevelPattern, patternOf } from "./patterns.ts";
import { digit } from "./unicode.ts";

/** A piece of a text. */
export interface Piece {
  readonly text: string;
  /** Whether the whole text begins with it. */
  readonly first: boolean;
}

/** Cuts a piece into words. */
export type Cut = (piece: Piece) => readonly Piece[];

export function preTokenizerOf(part: KnownPreTokenizer): Cut {
  switch (part.type) {
    case "ByteLevel": {
      const { add_prefix_space, use_regex } = part;
      const cut: Cut = use_regex ? matches(patternOf(byteLevelPattern)) : (piece) => [piece];
      return (piece) =>
        cut(add_prefix_space ? beginning(piece, " ") : piece).map((word) => ({
          ...word,
          text: toByteCharacters(word.text),
        }));
    }
    case "Metaspace": {
      const { replacement, prepend_scheme, split } = part;
      return (piece) => {
        const spaced = { ...piece, text: piece.text.replaceAll(" ", () => replacement) };
        const prefixed = prepend_scheme === "always" || (prepend_scheme === "first" && piece.first);
        const whole = prefixed ? beginning(spaced, replacement) : spaced;
        return split ? beforeEach(whole, replacement) : [whole];
      };
    }
    case "Digits":
      return matches(new RegExp(part.individual_digits ? digit : `${digit}+`, "gv"));
    case "Split":
      return matches(patternOf(part.pattern.Regex), { only: part.invert });
    case "Sequence": {
      const all = part.pretokenizers.map(preTokenizerOf);
      return (piece) => all.reduce<readonly Piece[]>((pieces, cut) => pieces.flatMap(cut), [piece]);
    }
  }
}

/** Cuts out what a pattern matches. What is between comes too, unless `only` the matches do. */
function matches(pattern: RegExp, { only = false } = {}): Cut {
  return ({ text, first }) => {
    const found: Piece[] = [];
    const add = (start: number, end: number) => {
      if (start < end) found.push({ text: text.slice(start, end), first: first && start === 0 });
    };
    let end = 0;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      if (!only) add(end, index);
      end = index + match.length;
      add(index, end);
    }
    if (!only) add(end, text.length);
    return found;
  };
}

function beginning(piece: Piece, prefix: string): Piece {
  return piece.text.startsWith(prefix) ? piece : { ...piece, text: prefix + piece.text };
}

function beforeEach({ text, first }: Piece, character: string): Piece[] {
  const parts = text.split(character);
  const words = [parts[0]!, ...parts.slice(1).map((part) => character + part)].filter(Boolean);
  return words.map((word, i) => ({ text: word, first: first && i === 0 }));
}
