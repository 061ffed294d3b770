import type { OpName } from "@lethe/tensor";
import { attentionRules } from "./attention.ts";
import { elementwiseRules } from "./elementwise.ts";
import { layoutRules } from "./layout.ts";
import { lossRules } from "./losses.ts";
import { matmulRules } from "./matmul.ts";
import { normaliseRules } from "./normalise.ts";
import { reduceRules } from "./reduce.ts";
import { rowRules } from "./rows.ts";
import type { RulesFor } from "./rule.ts";
import { softmaxRules } from "./softmax.ts";

/** How each operation is differentiated. An operation without a row here does not compile. */
export const rules: RulesFor<OpName> = {
  ...matmulRules,
  ...normaliseRules,
  ...attentionRules,
  ...elementwiseRules,
  ...softmaxRules,
  ...lossRules,
  ...rowRules,
  ...reduceRules,
  ...layoutRules,
};
