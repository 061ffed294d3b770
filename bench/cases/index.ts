import type { BenchCase } from "../case.ts";
import { attentionCases } from "./attention.ts";
import { dispatchCases } from "./dispatch.ts";
import { elementwiseCases } from "./elementwise.ts";
import { fusedCases } from "./fused.ts";
import { layoutCases } from "./layout.ts";
import { llamaCases } from "./llama.ts";
import { lossCases } from "./losses.ts";
import { matmulCases } from "./matmul.ts";
import { normCases } from "./norm.ts";
import { optimizerCases } from "./optimizer.ts";
import { passCases } from "./passes.ts";
import { reduceCases } from "./reduce.ts";
import { softmaxCases } from "./softmax.ts";

/** Everything that `npm run bench` times, in the order in which it prints. */
export const allCases: readonly BenchCase[] = [
  ...dispatchCases,
  ...matmulCases,
  ...attentionCases,
  ...fusedCases,
  ...normCases,
  ...elementwiseCases,
  ...softmaxCases,
  ...lossCases,
  ...reduceCases,
  ...layoutCases,
  ...optimizerCases,
  ...llamaCases,
  ...passCases,
];
