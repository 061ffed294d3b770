export { gradientDifference } from "./gradient-difference.ts";
export { npo } from "./npo.ts";
export type { Labelled, LossInputs, Objective, Quantity, ReferenceNeeds, Role } from "./objective.ts";
export { referenceOf } from "./reference.ts";
export { type RetainTerm, sequenceNll, tokenNll } from "./terms.ts";
