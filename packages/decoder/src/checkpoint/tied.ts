import type { Checkpoint } from "@lethe/tensor";
import { ConfigError } from "../errors.ts";
import { modules } from "../pass/layout.ts";
import type { DecoderConfig } from "./config.ts";

const pieceBytes = 8 * 2 ** 20;

/**
 * Some checkpoints hold an unembedding although `config.json` says that it is tied to the embedding. If the two differ, versions of
 * `transformers` differ in which of them they use.
 * @throws {ConfigError} when the two differ in a bit
 */
export async function checkTied(checkpoint: Checkpoint, config: DecoderConfig, where: string): Promise<void> {
  const [embedding, unembedding] = [`${modules.embedding}.weight`, `${modules.unembedding}.weight`];
  if (!config.tie_word_embeddings || !checkpoint.has(embedding) || !checkpoint.has(unembedding)) return;
  const [one, other] = [checkpoint.info(embedding), checkpoint.info(unembedding)];
  let same = one.dtype === other.dtype && one.bytes === other.bytes;
  const pieces = checkpoint.readChunks(unembedding, pieceBytes);
  for await (const { bytes } of same ? checkpoint.readChunks(embedding, pieceBytes) : []) {
    const { value } = await pieces.next();
    same = sameBytes(bytes, value!.bytes);
    if (!same) break;
  }
  await pieces.return();
  if (same) return;
  throw new ConfigError(
    `${where}: tie_word_embeddings is true, and the checkpoint's ${unembedding} differs from its ${embedding}. ` +
      `Set the field to false to use it, or leave it out of the checkpoint.`,
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
