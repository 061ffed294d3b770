// The library that trained the tokenizers has tables of Unicode of its own, and a JavaScript engine has those of its release. Text must give
// the same tokens in every engine, so sets are named here as the library has them. `npx vitest run text-portable` compares them.

/** Letters and numbers that Unicode 15.1 and 16 added to those of 15, which older engines have. */
const letters16 =
  "\\u{1c89}-\\u{1c8a}\\u{a7cb}-\\u{a7cd}\\u{a7da}-\\u{a7dc}\\u{105c0}-\\u{105f3}\\u{10d4a}-\\u{10d65}\\u{10d6f}-\\u{10d85}\\u{10ec2}-\\u{10ec4}" +
  "\\u{11380}-\\u{11389}\\u{1138b}\\u{1138e}\\u{11390}-\\u{113b5}\\u{113b7}\\u{113d1}\\u{113d3}\\u{11bc0}-\\u{11be0}\\u{13460}-\\u{143fa}" +
  "\\u{16100}-\\u{1611d}\\u{16d40}-\\u{16d6c}\\u{18cff}\\u{1e5d0}-\\u{1e5ed}\\u{1e5f0}\\u{2ebf0}-\\u{2ee5d}";
const numbers16 =
  "\\u{10d40}-\\u{10d49}\\u{116d0}-\\u{116e3}\\u{11bf0}-\\u{11bf9}\\u{16130}-\\u{16139}\\u{16d70}-\\u{16d79}\\u{1ccf0}-\\u{1ccf9}" +
  "\\u{1e5f1}-\\u{1e5fa}";
/** And those of Unicode 17. */
const letters17 =
  "\\u{88f}\\u{c5c}\\u{cdc}\\u{a7ce}-\\u{a7cf}\\u{a7d2}\\u{a7d4}\\u{a7f1}\\u{10940}-\\u{10959}\\u{10ec5}-\\u{10ec7}\\u{11db0}-\\u{11ddb}" +
  "\\u{16ea0}-\\u{16eb8}\\u{16ebb}-\\u{16ed3}\\u{16ff2}-\\u{16ff3}\\u{187f8}-\\u{187ff}\\u{18d09}-\\u{18d1e}\\u{18d80}-\\u{18df2}" +
  "\\u{1e6c0}-\\u{1e6de}\\u{1e6e0}-\\u{1e6e2}\\u{1e6e4}-\\u{1e6e5}\\u{1e6e7}-\\u{1e6ed}\\u{1e6f0}-\\u{1e6f4}\\u{1e6fe}-\\u{1e6ff}" +
  "\\u{2b73a}-\\u{2b73f}\\u{2cea2}-\\u{2cead}\\u{323b0}-\\u{33479}";
const numbers17 = "\\u{11de0}-\\u{11de9}\\u{16ff4}-\\u{16ff6}";

/** Sets for a regular expression with the flag `v`. Patterns follow Unicode 16. */
export const letter = `[[\\p{L}${letters16}]--[${letters17}]]`;
export const number = `[[\\p{N}${numbers16}]--[${numbers17}]]`;
/** White space. JavaScript's `\s` has U+FEFF too, and lacks U+0085. */
export const space = "\\p{White_Space}";
/** What the part `Digits` takes for a digit. It follows Unicode 17. */
export const digit = `[\\p{N}${numbers16}${numbers17}]`;
/** What stands in words, where an added token has to be a word by itself. */
export const wordCharacter = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";

/** Characters that normalisation knows since Unicode 11. The library's is older: to it they are like any character without marks. */
const newMarks = new RegExp(
  "([\\u{7fd}\\u{897}-\\u{89f}\\u{8ca}-\\u{8d3}\\u{9fe}\\u{c3c}\\u{d3b}-\\u{d3c}\\u{eba}\\u{1715}\\u{1abf}-\\u{1add}\\u{1ae0}-\\u{1aeb}" +
    "\\u{1df6}-\\u{1dfa}\\u{a82c}\\u{105c9}\\u{105d2}\\u{105da}\\u{105e4}\\u{10d24}-\\u{10d27}\\u{10d69}-\\u{10d6d}\\u{10eab}-\\u{10eac}" +
    "\\u{10efa}-\\u{10efb}\\u{10efd}-\\u{10eff}\\u{10f46}-\\u{10f50}\\u{10f82}-\\u{10f85}\\u{11070}\\u{1133b}\\u{11382}-\\u{11385}\\u{1138b}" +
    "\\u{1138e}\\u{11390}-\\u{11391}\\u{113b8}\\u{113bb}\\u{113c2}\\u{113c5}\\u{113c7}-\\u{113c9}\\u{113ce}-\\u{113d0}\\u{1145e}" +
    "\\u{11839}-\\u{1183a}\\u{11930}\\u{11935}\\u{11938}\\u{1193d}-\\u{1193e}\\u{11943}\\u{119e0}\\u{11a34}\\u{11a47}\\u{11a99}\\u{11d42}" +
    "\\u{11d44}-\\u{11d45}\\u{11d97}\\u{11f41}-\\u{11f42}\\u{1611e}-\\u{16129}\\u{1612f}\\u{16d63}\\u{16d67}-\\u{16d6a}\\u{16ff0}-\\u{16ff1}" +
    "\\u{1e08f}\\u{1e130}-\\u{1e136}\\u{1e2ae}\\u{1e2ec}-\\u{1e2ef}\\u{1e4ec}-\\u{1e4ef}\\u{1e5ee}-\\u{1e5ef}\\u{1e6e3}\\u{1e6e6}" +
    "\\u{1e6ee}-\\u{1e6ef}\\u{1e6f5}]+)",
  "u",
);

/** Composes characters and their marks. */
export function nfc(text: string): string {
  // Between new marks, which stay as they are and separate what is around them, the rules have not changed.
  return text
    .split(newMarks)
    .map((part, i) => (i % 2 === 0 ? part.normalize("NFC") : part))
    .join("");
}
