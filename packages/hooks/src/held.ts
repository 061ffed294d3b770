import type { Tensor } from "@lethe/tensor";
import { HookError } from "./errors.ts";
import { type Part, partsAt } from "./parts.ts";
import type { Site } from "./sites.ts";

/** Columns of one sequence's tokens: from `start` up to, but not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the values of a captured activation stood in their run. Columns of a run with a cache count from the cache's first. */
export interface Held {
  /** The columns of the run: up to, but not including, this one. */
  readonly end: number;
  /** The column of each index of the tensor's axis T. */
  readonly columns: readonly number[];
  /** Columns of each sequence's tokens; undefined where the run did not say. */
  readonly sequences: readonly Span[] | undefined;
  /** The rows that the run asked for, `[R]`, where the tensor has only those and no columns. */
  readonly rows?: Tensor["storage"] | undefined;
  /** The head of each index of the tensor's axis of heads; undefined for all heads, and where the site has none. */
  readonly heads: readonly number[] | undefined;
}

/**
 * The part of a source's tensor that holds what a run wants; none where it is the whole tensor, in its order.
 * @param what the hook and its point, for errors: `restore m: m.3`
 * @throws {HookError} when the source lacks one of the columns or heads, or when its sequences stood in other columns
 */
export function heldParts(site: Site, held: Held, wanted: Held, what: string, source: string): Part[] {
  return partsAt(site, placesOf(held, wanted, what, source), headPlacesOf(held, wanted, what, source));
}

/** The places of the columns that a run wants; `undefined` when they are all that the source holds, in their order. */
function placesOf(held: Held, wanted: Held, what: string, source: string): readonly number[] | undefined {
  if (held.rows !== wanted.rows)
    throw new HookError(
      `${what} is there at ${wanted.rows ? "the rows that were asked for" : "every position"} in this run and at ` +
        `${held.rows ? "rows" : "positions"} in ${source}, which need not be the same; run both with one tensor of rows, or both without`,
    );
  if (held.rows) return undefined;
  const place = new Map(held.columns.map((column, i) => [column, i]));
  const places = wanted.columns.map((column) => {
    const found = place.get(column);
    if (found !== undefined) return found;
    throw new HookError(
      `${what} was asked for at position ${column}, and ${source} holds it at ${showPositions(held.columns)}; ` +
        "capture every position that is to be restored",
    );
  });
  if (held.sequences && wanted.sequences) checkAlike(held.sequences, wanted.sequences, wanted.columns, what, source);
  return places.length === held.columns.length && places.every((at, i) => at === i) ? undefined : places;
}

/** The places of the heads that a run wants; `undefined` when they are all that the source holds, in their order. */
function headPlacesOf(
  { heads: held }: Held,
  { heads: wanted }: Held,
  what: string,
  source: string,
): readonly number[] | undefined {
  if (!held) return wanted;
  if (!wanted) throw new HookError(`${what} was asked for at every head, and ${source} holds it at heads ${held}`);
  const absent = wanted.find((head) => !held.includes(head));
  if (absent !== undefined)
    throw new HookError(
      `${what} was asked for at head ${absent}, and ${source} holds it at heads ${held}; capture every head that is to be restored`,
    );
  const places = wanted.map((head) => held.indexOf(head));
  return places.length === held.length && places.every((at, i) => at === i) ? undefined : places;
}

/** The same column must be the same token of the same sequence in both runs. */
function checkAlike(
  held: readonly Span[],
  wanted: readonly Span[],
  columns: readonly number[],
  what: string,
  source: string,
): void {
  if (held.length !== wanted.length)
    throw new HookError(`${what} has ${wanted.length} sequences in this run and ${held.length} in ${source}`);
  for (const [b, { start, end }] of wanted.entries()) {
    const theirs = held[b]!;
    if (theirs.start !== start)
      throw new HookError(
        `${what}: sequence ${b} begins at position ${start} in this run and at position ${theirs.start} in ${source}; pad both runs alike`,
      );
    const padding = columns.find((column) => column >= theirs.end && column < end);
    if (padding !== undefined)
      throw new HookError(
        `${what}: position ${padding} is a token of sequence ${b} in this run and padding in ${source}`,
      );
  }
}

function showPositions(columns: readonly number[]): string {
  const [first, last] = [columns[0], columns.at(-1)];
  if (columns.length === 1) return `position ${first} alone`;
  if (columns.every((column, i) => column === first! + i)) return `positions ${first} to ${last}`;
  const shown = columns.slice(0, 12).join(", ");
  return `positions ${shown}${columns.length > 12 ? ` and ${columns.length - 12} more` : ""}`;
}
