import { LetheError } from "@lethe/tensor";

/** A byte-level BPE tokenizer: its tokens by id, and its merges in the order in which they apply. */
export interface BytePairEncoding {
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/** How GPT-2 cuts a text into words: `use_regex` of Hugging Face's ByteLevel pre-tokenizer, whose `\s` is Unicode's. */
const words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * Learns byte-level BPE merges (Sennrich et al. 2016, over bytes as in GPT-2): again and again the most frequent pair of
 * neighbouring tokens inside a word becomes a token, until there are `size` tokens. Of equally frequent pairs the first one in
 * code-unit order is taken, so the same texts give the same merges everywhere.
 *
 * @param size tokens in all, the 256 bytes among them
 * @throws LetheError if the texts hold too few pairs for that many tokens
 */
export function trainBytePairEncoding(texts: Iterable<string>, size: number): BytePairEncoding {
  const counted = countWords(texts);
  const tokens = [...byteCharacters].sort();
  const merges: [string, string][] = [];
  while (tokens.length < size) {
    const pair = mostFrequentPair(counted);
    if (pair === undefined) {
      throw new LetheError(
        `The texts give ${tokens.length} tokens at most, but ${size} were asked for. Add text or ask for fewer.`,
      );
    }
    merges.push(pair);
    tokens.push(pair.join(""));
    for (const word of counted) word.symbols = merge(word.symbols, pair);
  }
  return { tokens, merges };
}

interface CountedWord {
  symbols: string[];
  readonly count: number;
}

function countWords(texts: Iterable<string>): CountedWord[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const encoder = new TextEncoder();
  return Array.from(counts, ([word, count]) => ({
    symbols: Array.from(encoder.encode(word), (byte) => byteCharacters[byte] as string),
    count,
  }));
}

function mostFrequentPair(counted: readonly CountedWord[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of counted) {
    // No symbol contains a space, because the space's byte has a character of its own. So a space can separate the two.
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]} ${symbols[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | undefined;
  let most = 1;
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== undefined && pair < best)) [best, most] = [pair, count];
  }
  return best?.split(" ") as [string, string] | undefined;
}

function merge(symbols: string[], [left, right]: readonly [string, string]): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const joined = symbols[i] === left && symbols[i + 1] === right;
    merged.push(joined ? left + right : (symbols[i] as string));
    if (joined) i++;
  }
  return merged;
}

/** GPT-2's printable character for each byte: the byte's own where that is printable, otherwise the next unused one from U+0100. */
const byteCharacters: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(printable ? byte : next++);
  });
})();
