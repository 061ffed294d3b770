import {
  type Capabilities,
  cast,
  type FloatDType,
  type MatmulKernel,
  matmulWith,
  type Shape,
  type Tensor,
} from "@lethe/tensor";
import type { BenchCase } from "../case.ts";
import { bytesOf, checkSamples, normal } from "../inputs.ts";

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dtype?: FloatDType;
  /** As Hugging Face stores weights: `b` is `[n, k]`. */
  readonly transposeB?: boolean;
  readonly transposeA?: boolean;
}

const square: Product = { m: 512, n: 512, k: 512 };

/** The product of the headline. Only the planner’s choice is compared with the plain kernel, which takes seconds on software adapters. */
const large: Product = { m: 1024, n: 1024, k: 1024 };

/** Prefill, decoding, and the two products of a backward pass, at LLaMA-like widths small enough for a software adapter. */
const layers: Product[] = [
  { m: 128, n: 1024, k: 1024, transposeB: true },
  { m: 128, n: 1024, k: 1024, transposeB: true, dtype: "bf16" },
  { m: 128, n: 2816, k: 1024, transposeB: true, dtype: "bf16" },
  { m: 1, n: 4096, k: 1024 },
  { m: 1, n: 4096, k: 1024, transposeB: true },
  { m: 1, n: 4096, k: 1024, transposeB: true, dtype: "bf16" },
  { m: 8, n: 4096, k: 1024, transposeB: true, dtype: "bf16" },
  { m: 128, n: 1024, k: 2816 },
  { m: 1024, n: 2816, k: 128, transposeA: true },
  { m: 480, n: 172, k: 64, transposeB: true },
  { m: 480, n: 64, k: 172, transposeB: true },
];

/** A training step's and a decoding step's products at the size of SmolLM2-135M: forward, both gradients, and 60 sequences at once. */
const pretrained: Product[] = [
  { m: 400, n: 1536, k: 576, transposeB: true },
  { m: 400, n: 576, k: 1536 },
  { m: 1536, n: 576, k: 400, transposeA: true },
  { m: 60, n: 1536, k: 576, transposeB: true, dtype: "bf16" },
];

/** @param beside whether the plain kernel takes turns; it takes seconds where the product is large */
export function productCase(kernel: MatmulKernel | "planned", product: Product, beside = true): BenchCase {
  const { m, n, k, dtype = "f32", transposeA = false, transposeB = false } = product;
  const stored = `${dtype === "f32" ? "" : `${dtype} `}${transposeA ? "aᵀ" : "a"}·${transposeB ? "bᵀ" : "b"}`;
  return {
    name: `matmul ${kernel}`,
    shape: `${m}×${n}×${k} ${stored}`,
    flops: 2 * m * n * k,
    bytes: 4 * m * k + bytesOf(dtype, n, k) + 4 * m * n,
    ...(kernel === "mixed" && { runsOn: ({ f16 }: Capabilities) => f16 }),
    prepare(device) {
      const a = normal(device, transposeA ? [k, m] : [m, k]);
      const b: Tensor<Shape, FloatDType> = cast(normal(device, transposeB ? [n, k] : [k, n]), { dtype });
      const times = (by: MatmulKernel | undefined) => matmulWith(by, a, b, { transposeA, transposeB });
      return {
        run: () => times(kernel === "planned" ? undefined : kernel),
        ...(kernel === "plain" || !beside ? {} : { plain: () => times(kernel === "mixed" ? undefined : "plain") }),
        async check() {
          const [x, y] = await Promise.all([a.read(), b.read()]);
          await checkSamples(
            `matmul ${kernel}`,
            times(kernel === "planned" ? undefined : kernel),
            (index) => {
              const [row, column] = [Math.floor(index / n), index % n];
              let sum = 0;
              for (let i = 0; i < k; i++)
                sum += x[transposeA ? i * m + row : row * k + i]! * y[transposeB ? column * k + i : i * n + column]!;
              return sum;
            },
            (kernel === "mixed" ? 3e-3 : 1e-3) * Math.sqrt(k),
          );
        },
      };
    },
  };
}

/** Few rows and a long sum, which the small kernel cuts into slices. */
const slim: Product = { m: 4, n: 256, k: 2816, transposeB: true };

/** Rows that begin between vectors, for which the subgroup kernel has another form. */
const between: Product = { m: 512, n: 510, k: 510 };

/** In mixed precision, beside f32: what a GPU with matrix units is for. */
const mixed: Product[] = [square, large, { m: 128, n: 2816, k: 1024, transposeB: true, dtype: "bf16" }];

/** Every kernel on a square, except the small one, which gets few rows; and the planner’s choice on all other products. */
export const matmulCases: readonly BenchCase[] = [
  ...(["plain", "tiled", "subgroup"] as const).map((kernel) => productCase(kernel, square)),
  productCase("subgroup", between),
  productCase("small", slim),
  ...[square, large, ...layers, ...pretrained].map((product) => productCase("planned", product)),
  ...mixed.map((product) => productCase("mixed", product)),
];
