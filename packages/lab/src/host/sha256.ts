/** A SHA-256 of parts that come one after another. */
export interface Sha256 {
  /** Adds bytes, or a text as UTF-8. */
  update(part: string | Uint8Array): Sha256;
  /** Called once, at the end. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
