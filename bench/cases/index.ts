import type { BenchCase } from "../case.ts";
import { matmulCases } from "./matmul.ts";

/** Everything that `npm run bench` times, in the order in which it prints. */
export const allCases: readonly BenchCase[] = [...matmulCases];
