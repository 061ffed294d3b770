import { sha256 as create } from "@noble/hashes/sha2.js";
import type { Sha256 } from "./sha256.ts";

const utf8 = new TextEncoder();

/** Begins a SHA-256. A browser's own takes all bytes at once, and weights do not fit into memory. */
export function sha256(): Sha256 {
  const hash = create.create();
  const begun: Sha256 = {
    update(part) {
      hash.update(typeof part === "string" ? utf8.encode(part) : part);
      return begun;
    },
    digest: () => Uint8Array.from(hash.digest()),
  };
  return begun;
}
