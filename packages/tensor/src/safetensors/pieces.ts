import { layOut, type TensorToWrite, wrongSize } from "./encode.ts";

/** A tensor's bytes, or a function that yields them in pieces when their turn comes, so that they need not all be in memory. */
export type TensorData = Uint8Array | (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>);

/**
 * The bytes of a safetensors file in pieces, in their order. They depend on the content alone, see `encodeSafetensors`.
 *
 * @param file what to call the file in an error
 * @throws SafetensorsError at once where a name, dtype or shape is wrong, and in its turn where data do not fill their tensor
 */
export function safetensorsPieces(
  tensors: Iterable<TensorToWrite<TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
  file = "(encoding)",
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = layOut(tensors, metadata, file);
  return (async function* () {
    yield layout.header;
    for (const { name, bytes, data } of layout.tensors) {
      let given = 0;
      for await (const piece of typeof data === "function" ? data() : [data]) {
        given += piece.length;
        if (given > bytes) break; // a source without end must not fill the disk
        yield piece;
      }
      if (given !== bytes) throw wrongSize(file, name, given, bytes);
    }
  })();
}
