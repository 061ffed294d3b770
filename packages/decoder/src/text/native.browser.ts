import type { Tokenizer } from "./tokenizer.ts";

/** Why the native library cannot be used here. */
export function noNativeLibrary(): string | undefined {
  return "it runs in Node, not in a browser";
}

export function nativeTokenizer(): Promise<Tokenizer> {
  return Promise.reject(new Error(noNativeLibrary()));
}
