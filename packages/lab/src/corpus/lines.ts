const LINE_FEED = 10;

/** A line of a file, without its line feed. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Absent where the line is too long to be read. */
  readonly bytes?: Uint8Array;
}

/**
 * The lines of a content that comes in pieces. Of a line that is too long, no more than `most` bytes are ever in memory.
 * @param most bytes that a line may have
 */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Line> {
  let number = 1;
  let begun: Uint8Array[] = [];
  let length = 0;
  const add = (bytes: Uint8Array) => {
    length += bytes.length;
    if (length > most) begun = [];
    else if (bytes.length > 0) begun.push(bytes);
  };
  const end = (): Line => {
    const line = length > most ? { number } : { number, bytes: begun.length === 1 ? begun[0]! : Buffer.concat(begun) };
    number++;
    begun = [];
    length = 0;
    return line;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, from)) {
      add(piece.subarray(from, at));
      from = at + 1;
      yield end();
    }
    add(piece.subarray(from));
  }
  if (length > 0) yield end();
}
