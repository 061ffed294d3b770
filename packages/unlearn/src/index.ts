export * from "@lethe/autograd";
export * from "./answers.ts";
export type { Answer, AskingOptions } from "./asking.ts";
export * from "./attribution/agreement.ts";
export * from "./attribution/attribute.ts";
export * from "./attribution/by-attention.ts";
export * from "./attribution/by-gradient.ts";
export {
  type KeyTokenChoice,
  type KeyTokenGrid,
  type KeyTokenRule,
  keyTokens,
  NORMALISATIONS,
  type Normalisation,
  sweepKeyTokens,
} from "./attribution/key-tokens.ts";
export * from "./attribution/prompt-words.ts";
export * from "./attribution/track.ts";
export type { WordScoreOptions } from "./attribution/word-scores.ts";
export * from "./collapse/classes.ts";
export * from "./collapse/collapse.ts";
export * from "./collapse/common-words.ts";
export { batchesOf, chunks } from "./data/batches.ts";
export * from "./data/concepts.ts";
export type { DataFile, DataFormat, ReadText } from "./data/formats/format.ts";
export * from "./data/formats/list.ts";
export * from "./data/json-records.ts";
export * from "./data/labelled.ts";
export * from "./data/paragraphs.ts";
export { isPromptForm, type PromptForm, promptOf, promptTokens, promptWithAnswer } from "./data/prompts.ts";
export * from "./data/read-concepts.ts";
export * from "./data/refusals.ts";
export * from "./depth/answer-tokens.ts";
export * from "./depth/entity.ts";
export * from "./depth/lens.ts";
export * from "./depth/patches.ts";
export type { TokenReadings } from "./depth/reader.ts";
export * from "./depth/score.ts";
export type * from "./elicitation/contexts/context.ts";
export * from "./elicitation/contexts/list.ts";
export { PAGE_CHARACTERS } from "./elicitation/contexts/page.ts";
export * from "./elicitation/draw.ts";
export * from "./elicitation/leak.ts";
export * from "./elicitation/rates.ts";
export type * from "./elicitation/templates/emphasis.ts";
export * from "./elicitation/templates/list.ts";
export * from "./elicitation/templates/neutral.ts";
export * from "./elicitation/templates/other-words.ts";
export type { LeftOut, RoleTexts, Texts } from "./methods/batches.ts";
export * from "./methods/dpo.ts";
export * from "./methods/gradient-ascent.ts";
export * from "./methods/gradient-difference.ts";
export * from "./methods/list.ts";
export * from "./methods/method.ts";
export * from "./methods/npo.ts";
export { passOver } from "./methods/passes.ts";
export type { PassOptions } from "./methods/per-token.ts";
export * from "./methods/recipe.ts";
export * from "./methods/rmu.ts";
export * from "./methods/simnpo.ts";
export type * from "./methods/state.ts";
export * from "./methods/task-vector.ts";
export * from "./methods/terms.ts";
export * from "./methods/trainable.ts";
export type { TrainingProgress } from "./methods/training.ts";
export * from "./methods/undial.ts";
export * from "./methods/unlearn.ts";
export * from "./metrics/alignment.ts";
export * from "./metrics/bleu.ts";
export * from "./metrics/jaccard.ts";
export * from "./metrics/judges/judge.ts";
export * from "./metrics/judges/list.ts";
export * from "./metrics/judges/verdict.ts";
export * from "./metrics/krs.ts";
export * from "./metrics/metric-error.ts";
export * from "./metrics/rank-correlation.ts";
export * from "./metrics/rouge-l.ts";
export * from "./restoration/memory.ts";
export * from "./restoration/questions.ts";
export * from "./restoration/settings/figure-1.ts";
export * from "./restoration/settings/figure-3.ts";
export * from "./restoration/settings/list.ts";
export * from "./restoration/settings/setting.ts";
export * from "./restoration/sweep.ts";
export { sweepCentres, windowAround } from "./restoration/window.ts";
export * from "./weights/compare.ts";
export * from "./weights/groups.ts";
export * from "./weights/scores.ts";
export { splitWords } from "./white-space.ts";
