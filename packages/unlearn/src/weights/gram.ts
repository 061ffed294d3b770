import { type Device, embedding, type F32, matmulInto, type Weight, zeros } from "@lethe/tensor";
import { largestEigenvalue } from "./largest-eigenvalue.ts";

/** So many numbers of a matrix are widened and multiplied at once at most, where it has more rows than columns. */
const PIECE = 2 ** 22;

type MatrixShape = readonly [rows: number, columns: number];
export type Matrix = Weight<MatrixShape>;

/** Some rows of a matrix. */
interface Piece {
  readonly start: number;
  readonly count: number;
}

/**
 * The pieces in which a matrix is worked on: one of all rows, or, of a large one with more rows than columns, several. So the embeddings of
 * a vocabulary need no second copy of their size.
 */
export function piecesOf([rows, columns]: MatrixShape): Piece[] {
  const most = rows > columns ? Math.max(1, Math.floor(PIECE / columns)) : rows;
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => {
    return { start: i * most, count: Math.min(most, rows - i * most) };
  });
}

/** Rows of a matrix in f32; where all of an f32 matrix are wanted, the matrix itself. */
export function rowsInF32(matrix: Matrix, { start, count }: Piece): F32<MatrixShape> {
  if (matrix.dtype === "f32" && count === matrix.shape[0]) return matrix as F32<MatrixShape>;
  const rows = Uint32Array.from({ length: count }, (_, i) => start + i);
  return embedding(matrix, matrix.device.tensor(rows, [count], "u32", "rows")) as F32<MatrixShape>;
}

/** The sum over a matrix's pieces X of XᵀX or, of a wide matrix, XXᵀ: its eigenvalues are the squares of the matrix's singular values. */
export class Gram {
  readonly #sum: F32;
  readonly #side: number;
  readonly #tall: boolean;

  /** What it holds belongs to the innermost open scope. @param shape the matrix's */
  constructor(device: Device, [rows, columns]: MatrixShape) {
    this.#side = Math.min(rows, columns);
    this.#sum = zeros(device, [this.#side, this.#side]);
    this.#tall = rows > columns;
  }

  add(piece: F32): void {
    matmulInto(this.#sum, piece, piece, this.#tall ? { transposeA: true } : { transposeB: true });
  }

  /** The matrix's largest singular value. The sum is read at once, so the scope may end before the value is there. */
  async spectralNorm(): Promise<number> {
    return Math.sqrt(largestEigenvalue(await this.#sum.read(), this.#side));
  }
}
