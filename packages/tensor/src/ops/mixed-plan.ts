import { floatCode } from "../dtype.ts";
import { FeatureError } from "../errors.ts";
import type { Capabilities, MatrixUnit } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";
import type { MatmulProblem } from "./matmul-problem.ts";
import { bestUnit, leastSubgroup } from "./matrix-unit.ts";

/** Kernels of products whose inputs are rounded to f16: on matrix units of f16 or of f32, and on the lanes of any adapter with f16. */
export const mixedKernels = ["matrix", "matrix_single", "halves"] as const;
export type MixedKernel = (typeof mixedKernels)[number];
export const isMixed = (kernel: string): boolean => (mixedKernels as readonly string[]).includes(kernel);

type Tile = { readonly m: number; readonly n: number; readonly regionN: number; readonly lanes: number };
const large: Tile = { m: 128, n: 128, regionN: 64, lanes: 256 };
const small: Tile = { m: 64, n: 64, regionN: 32, lanes: 128 };

// As in `kernels/lib/matmul_matrix.wgsl`: depth of a tile, and elements between its lines.
const tileK = 32;
const padding = 8;

/** @throws {FeatureError} on an adapter without f16 arithmetic */
export function requireHalves({ f16 }: Pick<Capabilities, "f16">, operation: string): void {
  if (!f16)
    throw new FeatureError(
      `${operation}: mixed precision needs an adapter with the WebGPU feature shader-f16, which this one lacks; compute with \`ops\` in f32`,
    );
}

/** The tiles that fit the adapter with its best unit, the large one first; null where there is none. */
function tilesOf(capabilities: Capabilities): { readonly unit: MatrixUnit; readonly tiles: readonly Tile[] } | null {
  const unit = bestUnit(capabilities);
  if (!unit) return null;
  const { maxWorkgroupSize, maxSharedBytes } = capabilities;
  const fits = (tile: Tile) => tile.lanes <= maxWorkgroupSize && sharedBytes(tile, unit) <= maxSharedBytes;
  const tiles = [large, small].filter(fits);
  return tiles.length > 0 ? { unit, tiles } : null;
}

/** Bytes of shared memory of `matmul_matrix`, with those of `lib/half_scale.wgsl`. */
function sharedBytes({ m, n, lanes }: Tile, unit: MatrixUnit): number {
  const line = (side: number) => Math.max((tileK + padding) * side, (side + padding) * tileK);
  const inputBytes = unit.input === "f16" ? 2 : 4;
  return (line(m) + line(n)) * inputBytes + (lanes / leastSubgroup) * unit.m * unit.n * 4 + 2048;
}

/** Which kernel multiplies in mixed precision. Matrix units take operands that can be read in whole vectors. */
export function mixedKernel({ k, aligned, alignedA }: MatmulProblem, capabilities: Capabilities): MixedKernel {
  const units = tilesOf(capabilities);
  if (!units || !aligned || !alignedA || k % 4 !== 0) return "halves";
  return units.unit.input === "f16" ? "matrix" : "matrix_single";
}

/** Tile and constants of the kernels on matrix units: the large tile where there are enough of them for every core. */
export function planMatrix(
  { m, n, batch, transposeA, transposeB, dtype }: MatmulProblem,
  capabilities: Capabilities,
  enoughWorkgroups: number,
): { blocks: number; constants: Constants } {
  const { unit, tiles } = tilesOf(capabilities)!;
  const blocks = (tile: Tile) => batch * Math.ceil(m / tile.m) * Math.ceil(n / tile.n);
  const tile = tiles.find((tile) => blocks(tile) >= enoughWorkgroups) ?? tiles.at(-1)!;
  return {
    blocks: blocks(tile),
    constants: {
      ...{ UNIT_M: unit.m, UNIT_N: unit.n, UNIT_K: unit.k },
      ...{ TILE_M: tile.m, TILE_N: tile.n, REGION_N: tile.regionN, LANES: tile.lanes },
      ...{ A_ALONG_K: !transposeA, B_ALONG_K: transposeB, B_DTYPE: floatCode(dtype) },
    },
  };
}
