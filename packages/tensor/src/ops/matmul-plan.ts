import { type FloatDType, floatCode } from "../dtype.ts";
import type { Capabilities } from "../gpu/capabilities.ts";
import type { Constants } from "../gpu/pipelines.ts";

/** A product `[batch, m, k] @ [batch, k, n]`, and how its operands are stored. */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  /** `a` is stored `[k, m]`. */
  readonly transposeA: boolean;
  /** `b` is stored `[n, k]`. */
  readonly transposeB: boolean;
  /** What `b` is stored as. */
  readonly dtype: FloatDType;
}

export type MatmulKernel = "plain" | "tiled" | "subgroup";

/** One dispatch's choice: the kernel, its constants, and how many workgroups in a row it takes. */
export interface MatmulPlan {
  readonly kernel: MatmulKernel;
  readonly constants: Constants;
  readonly workgroups: number;
}

/**
 * Chooses how to compute a product from its shape and what the adapter offers. A pure function; `forced` overrides the
 * choice of kernel, for tests and benchmarks.
 */
export function planMatmul(shape: MatmulShape, capabilities: Capabilities, forced?: MatmulKernel): MatmulPlan {
  const kernel = forced ?? choose(capabilities);
  if (kernel === "subgroup") return subgroup(shape, capabilities);
  return kernel === "plain" ? plain(shape) : tiled(shape);
}

function choose({ software, subgroups }: Capabilities): MatmulKernel {
  if (!software) return "tiled";
  return subgroups && subgroups.min >= 4 ? "subgroup" : "plain";
}

function plain({ m, n, batch, dtype }: MatmulShape): MatmulPlan {
  return {
    kernel: "plain",
    constants: { B_DTYPE: floatCode(dtype) },
    workgroups: Math.ceil((batch * m * n) / 64),
  };
}

function tiled({ m, n, batch, transposeA, transposeB, dtype }: MatmulShape): MatmulPlan {
  const [lanesM, lanesN] = [8, 16];
  const constants = {
    LANES_M: lanesM,
    LANES_N: lanesN,
    A_ALONG_K: !transposeA,
    B_ALONG_K: transposeB,
    B_DTYPE: floatCode(dtype),
  };
  return {
    kernel: "tiled",
    constants,
    workgroups: batch * Math.ceil(m / (8 * lanesM)) * Math.ceil(n / (4 * lanesN)),
  };
}

function subgroup({ m, n, k, batch, transposeB, dtype }: MatmulShape, capabilities: Capabilities): MatmulPlan {
  const lanes = Math.max(16, capabilities.subgroups!.max);
  return {
    kernel: "subgroup",
    constants: {
      LANES: lanes,
      B_ALONG_K: transposeB,
      B_DTYPE: floatCode(dtype),
      B_ALIGNED: (transposeB ? k : n) % 4 === 0,
    },
    workgroups: batch * Math.ceil(m / 8) * Math.ceil(n / (4 * lanes)),
  };
}
