export { batchesOf, chunks } from "./batches.ts";
export {
  type Concept,
  ConceptDataError,
  type Fact,
  factsOf,
  type ReadText,
  readConcepts,
  unrelatedFactsOf,
} from "./concepts.ts";
export { ignoredLabel, type LabelledBatch, labelledBatch } from "./labelled.ts";
export { forgetParagraphs, retainConceptOf, sentencesOf, splitParagraphs } from "./paragraphs.ts";
export { promptOf, promptWithAnswer } from "./prompts.ts";
