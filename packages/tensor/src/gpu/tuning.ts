/** How a product is computed: by which kernel, and for how many rows or lanes it is made, where it can be made for several. */
export interface MatmulChoice {
  /** One of `plain`, `tiled`, `subgroup` and `small`. */
  readonly kernel: string;
  readonly rows?: number;
  readonly lanes?: readonly [m: number, n: number];
}

/**
 * What was fastest on one adapter, as `npm run bench -- --tune FILE` finds and writes it: choices that differ from those that the plans make by
 * themselves, by the sizes that they hold for. A plan with a choice gives the same values up to rounding, but not the same bits.
 */
export interface Tuning {
  /** The `adapterName` of the device. Choices say nothing about another one. */
  readonly adapter: string;
  readonly matmul: Readonly<Record<string, MatmulChoice>>;
  /** A family of kernels: `lanes`, `tile` or, forward, `decode`. */
  readonly attention: Readonly<Record<string, string>>;
  readonly attentionBackward: Readonly<Record<string, string>>;
  readonly rows: Readonly<Record<string, { readonly LANES: number; readonly ROWS: number }>>;
}

/** Sizes up to the next power of two share a choice. */
const upTo = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(size, 1)));

/** The sizes for which a choice of a product holds: "128×4096×1024 bf16 a·bᵀ". */
export function matmulKey(problem: {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly dtype: string;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}): string {
  const { m, n, k, batch, dtype, transposeA, transposeB } = problem;
  const sizes = [m, n, k].map(upTo).join("×");
  return `${batch > 1 ? "many " : ""}${sizes} ${dtype} ${transposeA ? "aᵀ" : "a"}·${transposeB ? "bᵀ" : "b"}`;
}

/** The sizes for which a choice of an attention holds: "4 queries, 512 keys, 8 heads of 64". */
export function attentionKey(sizes: {
  readonly batch: number;
  readonly queries: number;
  readonly length: number;
  readonly heads: number;
  readonly width: number;
}): string {
  const { batch, queries, length, heads, width } = sizes;
  return `${upTo(queries)} queries, ${upTo(length)} keys, ${upTo(batch * heads)} heads of ${width}`;
}

/** The width for which a choice of lanes for rows holds. */
export const rowKey = (width: number): string => `${upTo(width)} columns`;
