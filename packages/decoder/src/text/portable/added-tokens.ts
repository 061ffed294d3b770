import type { TokenToAdd } from "../special-tokens.ts";
import { space, wordCharacter } from "./unicode.ts";

/** A token of a text, or text between them. */
export type Section = { readonly id: number } | { readonly text: string; readonly start: number };

const spaces = new RegExp(space, "u");
const endsInWord = new RegExp(`${wordCharacter}$`, "u");
const beginsWithWord = new RegExp(`^${wordCharacter}`, "u");

/** The tokens that are found in a text as a whole, before it is cut into words. */
export class AddedTokens {
  readonly #ids = new Map<string, number>();
  readonly #byId = new Map<number, TokenToAdd>();
  /** In the order in which they are looked for. */
  readonly #special: TokenToAdd[] = [];
  readonly #plain: TokenToAdd[] = [];
  readonly #specialContents = new Set<string>();

  /** Cuts a text, as it was given, at the tokens that are not normalised. */
  readonly inGiven: Finder;
  /** Cuts normalised text at the others. */
  readonly inNormalized: Finder;
  readonly #normalize: (text: string) => string;

  /** @param vocabulary ids of the model's tokens */
  constructor(
    vocabulary: Readonly<Record<string, number>>,
    tokens: readonly TokenToAdd[],
    normalize: (text: string) => string,
  ) {
    this.#normalize = normalize;
    let next = Object.keys(vocabulary).length;
    for (const token of tokens) {
      if (token.content === "") continue;
      if (token.special && !this.#specialContents.has(token.content)) {
        this.#special.push(token);
        this.#specialContents.add(token.content);
      }
      const own = Object.hasOwn(vocabulary, token.content) ? vocabulary[token.content] : undefined;
      const id = this.#ids.get(token.content) ?? own ?? next++;
      if (same(this.#byId.get(id), token)) continue;
      this.#ids.set(token.content, id);
      this.#byId.set(id, token);
      if (!this.#specialContents.has(token.content)) this.#plain.push(token);
    }
    this.inGiven = this.#finder(false);
    this.inNormalized = this.#finder(true);
  }

  id(content: string): number | undefined {
    return this.#ids.get(content);
  }

  /** The token as it is written out. */
  content(id: number): string | undefined {
    const token = this.#byId.get(id);
    return token && this.#spelt(token);
  }

  #spelt({ content, normalized }: TokenToAdd): string {
    return normalized ? this.#normalize(content) : content;
  }

  isSpecial(content: string): boolean {
    return this.#specialContents.has(content);
  }

  #finder(normalized: boolean): Finder {
    const sought = [...this.#special, ...this.#plain].filter((token) => token.normalized === normalized);
    // Of tokens that are spelt alike, the first is meant.
    const ids = new Map(sought.reverse().map((token) => [this.#spelt(token), this.#ids.get(token.content)!] as const));
    if (ids.size === 0) return (text) => (text ? [{ text, start: 0 }] : []);
    // The leftmost, and of these the longest.
    const longest = [...ids.keys()].sort((one, other) => other.length - one.length);
    const pattern = new RegExp(longest.map(escaped).join("|"), "gu");
    return (text) => this.#find(text, pattern, ids);
  }

  #find(text: string, pattern: RegExp, ids: ReadonlyMap<string, number>): Section[] {
    const sections: Section[] = [];
    let reached = 0;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      // A token before it may have taken its white space.
      if (index < reached) continue;
      const id = ids.get(match)!;
      const { single_word, lstrip, rstrip } = this.#byId.get(id)!;
      let [start, end] = [index, index + match.length];
      if (single_word && isInWord(text, start, end)) continue;
      while (lstrip && start > reached && spaces.test(text[start - 1]!)) start--;
      while (rstrip && end < text.length && spaces.test(text[end]!)) end++;
      if (reached < start) sections.push({ text: text.slice(reached, start), start: reached });
      sections.push({ id });
      reached = end;
    }
    if (reached < text.length) sections.push({ text: text.slice(reached), start: reached });
    return sections;
  }
}

/** Cuts a text at its added tokens. */
export type Finder = (text: string) => readonly Section[];

/** Whether a word goes on before or after a part of a text. */
function isInWord(text: string, start: number, end: number): boolean {
  // Two units hold a character of any size.
  return endsInWord.test(text.slice(Math.max(0, start - 2), start)) || beginsWithWord.test(text.slice(end, end + 2));
}

function same(one: TokenToAdd | undefined, other: TokenToAdd): boolean {
  return (
    one !== undefined && (Object.keys(other) as (keyof TokenToAdd)[]).every((field) => one[field] === other[field])
  );
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
