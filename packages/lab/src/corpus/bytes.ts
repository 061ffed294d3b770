import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { findFileSource } from "@lethe/tensor/node";
import { Decompress } from "fzstd";
import { ExperimentError } from "../errors.ts";

const PIECE_BYTES = 256 * 1024;

/** What of a zstd file is decompressed at once. A few bytes can stand for a block of 128 KiB, and the blocks of a piece are all in memory. */
const ZSTD_PIECE_BYTES = 4096;

/**
 * The content of a corpus file, in pieces: the file's own, or what gzip or zstd made of it. Its first bytes decide, not its name. Members
 * of gzip and frames of zstd that follow each other are one content.
 * @param onRead is told how many bytes were read from the disk
 * @throws ExperimentError when there is no such file, or when the compressed file is damaged or cut short
 */
export async function* corpusBytes(path: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const source = await findFileSource(path);
  if (source === undefined) throw new ExperimentError(`--corpus ${path}: there is no such file.`);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < source!.size; at += PIECE_BYTES) {
      const piece = await source!.read(at, Math.min(PIECE_BYTES, source!.size - at));
      onRead(piece.length);
      yield piece;
    }
  }
  try {
    const start = await source.read(0, Math.min(4, source.size));
    if (start[0] === 0x1f && start[1] === 0x8b) yield* named(path, "gzip", gunzipped(pieces()));
    else if (isZstd(start)) yield* named(path, "zstd", unzstd(pieces()));
    else yield* pieces();
  } finally {
    await source.close?.();
  }
}

function isZstd(start: Uint8Array): boolean {
  if (start.length < 4) return false;
  const magic = new DataView(start.buffer).getUint32(0, true);
  // A file may begin with frames that hold no content.
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}

function gunzipped(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // An error of either stream ends both, and the reader is told of it.
  return pipeline(Readable.from(pieces, { objectMode: false }), createGunzip({ chunkSize: PIECE_BYTES }), () => {});
}

async function* unzstd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const blocks: Uint8Array[] = [];
  const decompress = new Decompress((block) => void blocks.push(block));
  for await (const piece of pieces)
    for (let at = 0; at < piece.length; at += ZSTD_PIECE_BYTES) {
      decompress.push(piece.subarray(at, at + ZSTD_PIECE_BYTES));
      yield* blocks.splice(0);
    }
  decompress.push(new Uint8Array(), true);
}

/** Errors of decompression name no file. Those of reading have one, and stay as they are. */
async function* named(path: string, format: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await pieces.next().catch((cause: Error) => {
        const { code = "" } = cause as NodeJS.ErrnoException;
        if (typeof code === "string" && !code.startsWith("Z_")) throw cause;
        throw new ExperimentError(
          `--corpus ${path}: its ${format} data are damaged or cut short (${cause.message}). Fetch the file again; nothing was written.`,
          { cause },
        );
      });
      if (done) return;
      yield value;
    }
  } finally {
    await pieces.return?.();
  }
}
