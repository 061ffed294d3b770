import type { KnownDecoder } from "../known-parts.ts";
import { fromByteCharacters } from "./bytes.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes texts of tokens, which a decoder after it changes further or which are joined. */
export type Decode = (tokens: readonly string[]) => readonly string[];

export function decoderOf(part: KnownDecoder): Decode {
  switch (part.type) {
    case "ByteLevel":
      return (tokens) => [fromByteCharacters(tokens)];
    case "ByteFallback":
      return joinBytes;
    case "Fuse":
      return (tokens) => [tokens.join("")];
    case "Replace":
      return (tokens) => tokens.map((token) => token.replaceAll(part.pattern.String, () => part.content));
    case "Strip":
      return (tokens) => tokens.map((token) => stripStart(token, part.content, part.start));
    case "Metaspace": {
      const { replacement, prepend_scheme } = part;
      const first = prepend_scheme === "never" ? " " : "";
      return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, () => (i === 0 ? first : " ")));
    }
    case "Sequence": {
      const all = part.decoders.map(decoderOf);
      return (tokens) => all.reduce((texts, decode) => decode(texts), tokens);
    }
  }
}

/** Joins runs of byte tokens. A run that is not UTF-8 is one � for each byte. */
function joinBytes(tokens: readonly string[]): string[] {
  const texts: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      texts.push(utf8.decode(Uint8Array.from(bytes)));
    } catch {
      texts.push("\uFFFD".repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.exec(token)?.[1];
    if (byte) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      texts.push(token);
    }
  }
  flush();
  return texts;
}

function stripStart(token: string, content: string, most: number): string {
  let cut = 0;
  for (let i = 0; i < most && token.startsWith(content, cut); i++) cut += content.length;
  return token.slice(cut);
}
