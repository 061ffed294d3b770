import { sha256 } from "#sha256";
import { hex } from "../host/sha256.ts";

const LONGEST = 60;

/**
 * The name of a model, concept or method as part of a file name: lower-case ASCII letters, digits and single hyphens, at most
 * 60 characters. Where letters or symbols must be left out (“哈利波特”, “C++”), or the name is too long, the first eight digits
 * of its SHA-256 follow, so that different names stay different. White space, case, accents and punctuation may be lost, and a plus
 * between two words (“NPO+KL”).
 */
export function slug(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/(?<=[a-z0-9])\+(?=[a-z0-9])/g, "-");
  const words = plain
    .replace(/['’ʼ]/gu, "")
    .replace(/[^a-z0-9]+/gu, "-")
    .replace(/^-|-$/gu, "");
  const lost = /[^a-z0-9\s\p{Pd}.,:;!?()[\]'"’ʼ“”_/]/u.test(plain);
  if (!lost && words !== "" && words.length <= LONGEST) return words;
  const digest = hex(sha256().update(name.normalize("NFC")).digest()).slice(0, 8);
  return [words.slice(0, LONGEST - 9).replace(/-$/u, ""), digest].filter(Boolean).join("-");
}
