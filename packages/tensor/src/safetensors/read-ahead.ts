import type { ByteSource } from "./source.ts";

/** Bytes of a file: `begin` up to, and without, `end`. */
export interface Extent {
  readonly source: ByteSource;
  readonly begin: number;
  readonly end: number;
}

/** A part of an extent. */
export interface Part {
  /** Which extent of the list. */
  readonly index: number;
  /** Counts from the extent's first byte. */
  readonly offset: number;
  /** They begin at a multiple of 8 of their buffer, so a typed array of any element size can view them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Requests under way at a time. Browsers make up to six at a time to one server, and others may need the rest. */
const AT_ONCE = 4;

/** Bytes between two extents that are read and thrown away, where that saves a request. */
const MAX_GAP = 2 ** 16;

/**
 * Reads extents from first to last. Neighbours are read together, in pieces of at most `pieceBytes`, of which a few are under way at a
 * time: over a network, the time to ask for a piece passes while others arrive. At most {@link AT_ONCE} pieces are in memory
 * besides the one that the caller works on. Every part of an extent but its last is a multiple of 8 bytes long.
 *
 * @param pieceBytes a positive multiple of 8
 * @throws the source's error where reading fails
 */
export async function* readExtents(
  extents: readonly Extent[],
  pieceBytes: number,
): AsyncGenerator<Part, void, undefined> {
  const pieces = planPieces(extents, pieceBytes);
  const reading: { piece: Piece; pending: Promise<Uint8Array<ArrayBuffer>> }[] = [];
  const readNext = (): void => {
    const { value: piece } = pieces.next();
    if (!piece) return;
    const pending = piece.source.read(piece.begin, piece.end - piece.begin);
    // The caller may stop before it awaits this piece, so its failure must not count as unhandled.
    pending.catch(() => {});
    reading.push({ piece, pending });
  };
  for (let i = 0; i < AT_ONCE; i++) readNext();
  for (let next = reading.shift(); next !== undefined; next = reading.shift()) {
    const whole = await next.pending;
    readNext();
    for (const { index, offset, begin, end } of next.piece.cuts) {
      const bytes = begin % 8 === 0 ? whole.subarray(begin, end) : whole.slice(begin, end);
      yield { index, offset, bytes };
    }
  }
}

/** All bytes of a source, from first to last, as `readExtents` reads them. */
export async function* readPieces(
  source: ByteSource,
  pieceBytes = 8 * 2 ** 20,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for await (const { bytes } of readExtents([{ source, begin: 0, end: source.size }], pieceBytes)) yield bytes;
}

/** Bytes that are read together. */
interface Piece {
  readonly source: ByteSource;
  readonly begin: number;
  end: number;
  /** What of it belongs to which extent: `begin` and `end` count from the piece's first byte. */
  readonly cuts: { index: number; offset: number; begin: number; end: number }[];
}

function* planPieces(extents: readonly Extent[], pieceBytes: number): Generator<Piece, void, undefined> {
  let piece: Piece | undefined;
  for (const [index, { source, begin, end }] of extents.entries()) {
    for (let at = begin; at < end; ) {
      let room = piece ? roomFor(piece, source, at, pieceBytes) : 0;
      if (!piece || room === 0) {
        if (piece) yield piece;
        piece = { source, begin: at, end: at, cuts: [] };
        room = pieceBytes;
      }
      const from = at - piece.begin;
      const taken = Math.min(room, end - at);
      piece.cuts.push({ index, offset: at - begin, begin: from, end: from + taken });
      at += taken;
      piece.end = at;
    }
  }
  if (piece) yield piece;
}

/** How many bytes a piece can still take from a place on, as a multiple of 8. */
function roomFor(piece: Piece, source: ByteSource, at: number, pieceBytes: number): number {
  const gap = at - piece.end;
  if (piece.source !== source || gap < 0 || gap > MAX_GAP) return 0;
  return Math.max(0, Math.floor((piece.begin + pieceBytes - at) / 8) * 8);
}
