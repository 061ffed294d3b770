import type { Text } from "./text.ts";

/** No tokenizer: its library is native. In a browser a model works with token ids. */
export function readText(): Promise<Text | undefined> {
  return Promise.resolve(undefined);
}
