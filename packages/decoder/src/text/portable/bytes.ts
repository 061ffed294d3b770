// Byte-level vocabularies write each byte as a character that can be seen (GPT-2's `bytes_to_unicode`); SentencePiece's have a token for each.

/** The bytes that are themselves a character that can be seen. */
const visible = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)];
const others = range(0, 0xff).filter((byte) => !visible.includes(byte));
const byteOf = new Map([
  ...visible.map((byte) => [String.fromCharCode(byte), byte] as const),
  ...others.map((byte, i) => [String.fromCharCode(0x100 + i), byte] as const),
]);
const characters = [...byteOf].sort(([, one], [, other]) => one - other).map(([character]) => character);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a text in UTF-8, as characters. */
export function toByteCharacters(text: string): string {
  let written = "";
  for (const byte of encoder.encode(text)) written += characters[byte];
  return written;
}

/** The text of tokens of a byte-level vocabulary. A token with another character stands for itself. */
export function fromByteCharacters(tokens: readonly string[]): string {
  const bytes = tokens.flatMap((token) => {
    const spelt = Array.from(token, (character) => byteOf.get(character));
    return spelt.includes(undefined) ? [...encoder.encode(token)] : (spelt as number[]);
  });
  return decoder.decode(Uint8Array.from(bytes));
}

/** The token of a byte in a SentencePiece-style vocabulary. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
