export { type AnsweredQuestion, type QuestionBatch, questionBatch } from "./questions.ts";
export { SETTINGS, type Setting, sitesOf } from "./settings.ts";
export { type RestorationLosses, runVanilla, type SweepOptions, sweepRestoration, type VanillaRun } from "./sweep.ts";
export { windowAround } from "./windows.ts";
