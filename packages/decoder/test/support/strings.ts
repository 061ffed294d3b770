import { integer, random } from "@lethe/testing/random";

const among = <T>(list: readonly T[]): T => list[integer(0, list.length - 1)]!;
const point = (low: number, high: number) => () => String.fromCodePoint(integer(low, high));

/** Scripts, as ranges of characters. */
const scripts = [
  [0x61, 0x7a],
  [0x41, 0x5a],
  [0xc0, 0x17f],
  [0x370, 0x3ff],
  [0x400, 0x4ff],
  [0x531, 0x587],
  [0x5d0, 0x5ea],
  [0x600, 0x6ff],
  [0x900, 0x97f],
  [0xb80, 0xbff],
  [0xe00, 0xe5b],
  [0x1100, 0x11ff],
  [0x1e00, 0x1fff],
  [0x3040, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0x10330, 0x1034a],
  [0x11380, 0x113d0],
  [0x12000, 0x12399],
  [0x1d400, 0x1d7ff],
  [0x20000, 0x2a6df],
] as const;
const words = "the cat's don't I'LL they'RE we'Ve it'ſ naïve Straße ΤΕΛΟΣ İstanbul ﬁn x_1 camelCase".split(" ");
const spaces = [
  ..." \t\n\r\v\f\u0085\u00a0\u1680\u180e\u2000\u2003\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
];
const emoji = ["🙂", "👩🏿‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇯🇵", "1️⃣", "☀︎", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "\u200d", "\ufe0f", "🏽"];
const code = [
  "if (x == 1) {\n    return x; }",
  "\n\n\n",
  "    ",
  "def f(a, *b):\n\t",
  "a->b[0] += 1e-9;",
  "</div>",
  "\\n",
  "\r\n",
];
const marked = [
  "<s>",
  "</s>",
  "<unk>",
  "<|endoftext|>",
  "<|eot_id|>",
  "<|begin_of_text|>",
  "<0x41>",
  "<0xE2>",
  "▁",
  "▁▁",
  "Ġ",
  "<s",
  "|>",
];

const makers: readonly (() => string)[] = [
  () => {
    const [low, high] = among(scripts);
    return Array.from({ length: integer(1, 6) }, point(low, high)).join("");
  },
  () => among(words),
  () => among(words),
  () => among(spaces).repeat(integer(1, 4)),
  () => " ",
  () => among(emoji),
  () => among(code),
  () => among(marked),
  // Combining marks, some of them newer than others
  () => `e${point(0x300, 0x36f)()}${point(0x316, 0x333)()}`,
  () => `a${among(["\u0897", "\u07fd", "\u1ac1", "\u{16d67}\u{16d67}", "\u{11382}\u{113c9}"])}\u0323\u0301`,
  point(0, 0x1f),
  point(0x7f, 0x9f),
  point(0x2000, 0x206f),
  point(0x20, 0x7e),
  () => String(integer(0, 10 ** integer(0, 9))),
  () => among(["²", "Ⅷ", "٣٤", "½", "७", "１２", "①", "𝟘", "〇"]),
  () => among(["!?…", "()", "“”", "—", "...", "'", "''", "$1", "$&"]),
  // Halves of a character
  () => String.fromCharCode(integer(0xd800, 0xdfff)),
  // Any character at all
  point(0, 0x10ffff),
];

/** A text of everything that is hard on a tokenizer. */
export function drawString(more: readonly string[]): string {
  const parts = Array.from({ length: integer(0, 10) }, () => {
    if (more.length > 0 && random() < 0.15) return among(more);
    return among(makers)();
  });
  return parts.join(random() < 0.3 ? " " : "");
}
