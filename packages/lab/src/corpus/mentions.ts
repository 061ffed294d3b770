import { ExperimentError } from "../errors.ts";

/** Scripts that put no space between words: what stands beside a name in them says nothing. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const partOfWord = "[\\p{L}\\p{M}\\p{N}]";

/**
 * A pattern that finds a concept's names in a text, as whole words. White space in a name stands for any white space, and apostrophes and
 * hyphens for each other's forms. What a concept's name has in brackets at its end, as in “Dark Souls (video game)”, need not be there.
 * @param names the concept's name and other spellings
 * @throws ExperimentError when a name has no letter or digit
 */
export function mentionsOf(names: readonly string[], { matchCase }: { readonly matchCase: boolean }): RegExp {
  const spellings = names.flatMap((name) => {
    const normal = name.normalize("NFC").trim();
    if (!/[\p{L}\p{N}]/u.test(normal))
      throw new ExperimentError(`${JSON.stringify(name)} is no name to be looked for: it has no letter.`);
    const plain = normal.replace(/\s*\([^()]*\)$/, "") || normal;
    return [plain, plain.normalize("NFD")];
  });
  // A pattern takes its first alternative that fits: the longest is to be one mention, rather than its beginning.
  const longestFirst = [...new Set(spellings)].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(patternOf).join("|"), matchCase ? "gu" : "giu");
}

function patternOf(name: string): string {
  const pattern = name
    .replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
    .replace(/['’‘ʼ`]/gu, "['’‘ʼ`]")
    .replace(/[-‐‑‒–—]/gu, "[-‐‑‒–—]")
    .replace(/\s+/gu, "\\s+");
  const edge = (character: string | undefined) =>
    character !== undefined && new RegExp(partOfWord, "u").test(character) && !unspaced.test(character);
  const characters = Array.from(name);
  const before = edge(characters[0]) ? `(?<!${partOfWord})` : "";
  return before + pattern + (edge(characters.at(-1)) ? `(?!${partOfWord})` : "");
}

/** Whether a text mentions a concept at least `least` times. It looks no further than it must. */
export function mentions(text: string, pattern: RegExp, least: number): boolean {
  pattern.lastIndex = 0;
  for (let found = 0; found < least; found++) if (!pattern.test(text)) return false;
  return true;
}
