import { floatCode } from "../dtype.ts";
import type { Capabilities } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";
import { type MatmulChoice, matmulKey } from "../gpu/tuning.ts";
import type { MatmulProblem } from "./matmul-problem.ts";
import { isMixed, type MixedKernel, mixedKernel, mixedKernels, planMatrix, requireHalves } from "./mixed-plan.ts";

export type { MatmulProblem } from "./matmul-problem.ts";

/**
 * The kernels, `kernels/matmul_….wgsl`. The head of each file says what it is for. `mixed` is the best one of {@link MixedKernel}, or, for a
 * product of few rows, the planner's choice in f32: its time is that of reading the weight.
 */
export const matmulKernels = ["plain", "tiled", "subgroup", "small", "mixed"] as const;
export type MatmulKernel = (typeof matmulKernels)[number];

/** `vectors…` and `row` are other forms of the subgroup kernel, for operands that can be read in whole vectors. */
type MatmulForm = Exclude<MatmulKernel, "mixed"> | "vectors" | "vectors_packed" | "row" | MixedKernel;

/** How a product is computed. */
export interface MatmulPlan {
  readonly kernel: MatmulForm;
  /** Whether the kernel rounds its inputs to f16, and takes the largest magnitudes of both. */
  readonly mixed: boolean;
  readonly constants: Constants;
  /** Slices of the sum over k, each of length `depth`; they are added up afterwards. 1 is a product in one piece. */
  readonly slices: number;
  readonly depth: number;
  /** Workgroups in a row, over all slices. */
  readonly workgroups: number;
}

// Rows to a workgroup, for each variant of the two kernels.
const subgroupRows = [1, 4, 8, 16];
const smallRows = [1, 2, 4, 8];
// Lanes down and across a tile of the tiled kernel, from the fewest rows on.
const tiles = [
  [2, 32],
  [4, 16],
  [8, 16],
  [8, 32],
] as const;

// With fewer workgroups than this, cores of a GPU are idle. The largest GPUs have about 150 cores, each with room for several workgroups.
const enoughWorkgroups = 256;
/** The same of a processor's cores, where lanes are a CPU's. */
const enoughForCores = 4;
// A shorter slice costs more time to write its partial sums than it saves.
const leastDepth = 256;
const slicedKernels: readonly MatmulForm[] = ["tiled", "small", ...mixedKernels];

/**
 * Chooses how to compute a product, from its shape and the adapter's capabilities, never from the adapter's name. A pure function.
 * @param forced overrides the choice of kernel, for tests and benchmarks.
 */
export function planMatmul(problem: MatmulProblem, capabilities: Capabilities, forced?: MatmulKernel): MatmulPlan {
  const tuned = forced ? undefined : capabilities.tuning?.matmul[matmulKey(problem)];
  const kernel = chooseForm(problem, capabilities, forced, tuned);
  const { blocks, constants } = layouts[kernel](problem, capabilities, tuned);
  const { k } = problem;
  const depth = slicedKernels.includes(kernel) ? sliceDepth(problem, blocks, capabilities) : k;
  const slices = depth < k ? Math.ceil(k / depth) : 1;
  return { kernel, mixed: isMixed(kernel), constants, slices, depth, workgroups: blocks * slices };
}

function chooseKernel({ m }: MatmulProblem, { software, subgroups }: Capabilities) {
  if (!software) return m <= smallRows.at(-1)! ? "small" : "tiled";
  return subgroups && subgroups.min >= 4 ? "subgroup" : "plain";
}

function chooseForm(
  problem: MatmulProblem,
  capabilities: Capabilities,
  forced: MatmulKernel | undefined,
  tuned: MatmulChoice | undefined,
): MatmulForm {
  if (forced === "mixed") {
    requireHalves(capabilities, "matmul");
    if (problem.m > smallRows.at(-1)!) return mixedKernel(problem, capabilities);
  }
  const chosen =
    forced && forced !== "mixed"
      ? forced
      : ((tuned?.kernel as Exclude<MatmulKernel, "mixed"> | undefined) ?? chooseKernel(problem, capabilities));
  return chosen === "subgroup" ? subgroupForm(problem) : chosen;
}

/** What a product can be computed by on an adapter: every kernel, made for every number of rows or lanes that it has a form for. */
export function matmulCandidates({ subgroups, maxWorkgroupSize }: Capabilities): MatmulChoice[] {
  const lanes = subgroups && subgroups.min >= 4 ? subgroupRows : [];
  return [
    ...lanes.map((rows) => ({ kernel: "subgroup", rows })),
    ...smallRows.map((rows) => ({ kernel: "small", rows })),
    ...tiles.filter(([m, n]) => m * n <= maxWorkgroupSize).map((lanes) => ({ kernel: "tiled", lanes })),
    { kernel: "plain" },
  ];
}

function subgroupForm({ m, k, dtype, aligned, alignedA }: MatmulProblem): MatmulForm {
  if (!aligned || !alignedA || k % 4 !== 0) return "subgroup";
  if (m === 1) return "row";
  return dtype === "f32" ? "vectors" : "vectors_packed";
}

/** Steps of k in one slice. A product with few workgroups is cut into enough slices to fill a GPU. */
function sliceDepth({ m, n, k, batch }: MatmulProblem, blocks: number, { maxBindingBytes }: Capabilities): number {
  if (batch > 1) return k;
  const slices = Math.min(
    Math.ceil(enoughWorkgroups / blocks),
    Math.floor(k / leastDepth),
    Math.floor(maxBindingBytes / (m * n * 4)),
  );
  return slices > 1 ? Math.ceil(k / slices / 64) * 64 : k;
}

interface Layout {
  /** Workgroups for the whole product. */
  readonly blocks: number;
  readonly constants: Constants;
}

const matrix = (problem: MatmulProblem, capabilities: Capabilities): Layout =>
  planMatrix(problem, capabilities, enoughWorkgroups);

/** @param tuned what the tuning says of the kernel's form */
type LayoutOf = (problem: MatmulProblem, capabilities: Capabilities, tuned?: MatmulChoice) => Layout;

const layouts: Record<MatmulForm, LayoutOf> = {
  plain: ({ m, n, batch, dtype }) => ({
    blocks: Math.ceil((batch * m * n) / 64),
    constants: { B_DTYPE: floatCode(dtype) },
  }),
  tiled,
  subgroup: (problem, capabilities, tuned) => {
    const { blocks, constants } = lanes(problem, capabilities, tuned);
    const { k, transposeB, dtype, aligned } = problem;
    const reading = { B_ALONG_K: transposeB, K_TAIL: k % 4 !== 0, B_DTYPE: floatCode(dtype), B_ALIGNED: aligned };
    return { blocks, constants: Object.assign({}, constants, reading) };
  },
  vectors,
  vectors_packed: (problem, capabilities, tuned) => {
    const { blocks, constants } = vectors(problem, capabilities, tuned);
    return { blocks, constants: Object.assign({}, constants, { B_DTYPE: floatCode(problem.dtype) }) };
  },
  row,
  small,
  halves: tiled,
  matrix,
  matrix_single: matrix,
};

function tiled(problem: MatmulProblem, _: Capabilities, tuned?: MatmulChoice): Layout {
  // As tall as the rows need, and wider where that still leaves enough tiles for every core.
  const place = problem.m <= 16 ? 0 : problem.m <= 32 ? 1 : countBlocks(problem, 64, 128) < enoughWorkgroups ? 2 : 3;
  const [lanesM, lanesN] = tuned?.lanes ?? tiles[place];
  return {
    blocks: countBlocks(problem, 8 * lanesM, 4 * lanesN),
    constants: {
      LANES_M: lanesM,
      LANES_N: lanesN,
      A_ALONG_K: !problem.transposeA,
      B_ALONG_K: problem.transposeB,
      B_DTYPE: floatCode(problem.dtype),
    },
  };
}

/** What the two kernels whose lanes are a CPU's share. */
function lanes(problem: MatmulProblem, { subgroups }: Capabilities, tuned?: MatmulChoice): Layout {
  const rows = tuned?.rows ?? rowsFor(problem.m, subgroupRows);
  // Sixteen lanes take 64 columns. Where that makes few workgroups, cores would be idle, and one subgroup takes fewer. Only whole
  // subgroups broadcast correctly.
  const narrow = subgroups?.max ?? 16;
  const wide = Math.max(16, narrow);
  const lanes = countBlocks(problem, rows, 4 * wide) < enoughForCores ? narrow : wide;
  return {
    blocks: countBlocks(problem, rows, 4 * lanes),
    constants: { ROWS: rows, LANES: lanes, EIGHT_LANES: (subgroups?.min ?? 0) >= 8 },
  };
}

function vectors(problem: MatmulProblem, capabilities: Capabilities, tuned?: MatmulChoice): Layout {
  const { blocks, constants } = lanes(problem, capabilities, tuned);
  const along = { A_ALONG_K: !problem.transposeA, B_ALONG_K: problem.transposeB };
  return { blocks, constants: Object.assign({}, constants, along) };
}

function row(problem: MatmulProblem): Layout {
  const LANES = 32;
  const { transposeB, dtype } = problem;
  return {
    blocks: countBlocks(problem, 1, 4 * LANES),
    constants: { LANES, B_ALONG_K: transposeB, B_DTYPE: floatCode(dtype), WORDS: dtype === "f32" ? 4 : 2 },
  };
}

function small(problem: MatmulProblem, _: Capabilities, tuned?: MatmulChoice): Layout {
  const rows = tuned?.rows ?? rowsFor(problem.m, smallRows);
  const [lanesN, lanesK] = problem.transposeB ? [1, 64] : [16, 8];
  return {
    blocks: countBlocks(problem, rows, 4 * lanesN),
    constants: {
      ROWS: rows,
      LANES_N: lanesN,
      LANES_K: lanesK,
      K_TAIL: problem.k % 4 !== 0,
      B_ALONG_K: problem.transposeB,
      B_DTYPE: floatCode(problem.dtype),
      B_ALIGNED: problem.aligned,
    },
  };
}

function countBlocks({ m, n, batch }: MatmulProblem, rows: number, columns: number): number {
  return batch * Math.ceil(m / rows) * Math.ceil(n / columns);
}

/** The smallest count of rows that holds `m`, or the largest count. */
function rowsFor(m: number, counts: readonly number[]): number {
  return counts.find((rows) => m <= rows) ?? counts.at(-1)!;
}
