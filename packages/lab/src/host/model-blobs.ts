import type { Decoder, ModelPlace } from "@lethe/decoder";

/**
 * The files of a model's directory in Hugging Face's format, as `Decoder.save` writes them. A browser keeps large blobs on the disk.
 * @param tokenizer where its tokenizer's files are
 */
export async function modelBlobs(model: Decoder, tokenizer: ModelPlace): Promise<File[]> {
  const files: File[] = [];
  for (const { name, pieces } of await model.files({ tokenizer })) {
    const parts: Blob[] = [];
    for await (const piece of pieces()) parts.push(new Blob([piece as Uint8Array<ArrayBuffer>]));
    files.push(new File(parts, name));
  }
  return files;
}
