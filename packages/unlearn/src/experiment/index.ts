export { SETTINGS, type Setting } from "../restoration/settings.ts";
export {
  assembleCell,
  type CellConfig,
  type CellMeasurements,
  type CellResult,
} from "./cell.ts";
export { CellFileError, cellPath, parseCell, readCell, serializeCell, writeCell } from "./cell-file.ts";
export { configureCells, type PlannedCell, type PlannedModel, planCells } from "./cells.ts";
export { type ConceptFile, chooseConcepts } from "./choose.ts";
export { type CliParts, runCli } from "./cli.ts";
export { ExperimentError } from "./errors.ts";
export { type ModelKind, readModelKind } from "./model-kind.ts";
export {
  type EvaluationRecipe,
  METHODS,
  type Method,
  type Preset,
  type PresetName,
  presets,
  type RecipeName,
  recipeFor,
  trainingRecipe,
} from "./presets.ts";
export { planResume, type ResumePlan } from "./resume.ts";
export { type RunObserver, runCells } from "./run-cells.ts";
export { slug } from "./slug.ts";
export type { AdapterDescription, Cell, OpenStudy, Progress, Remark, Study } from "./types.ts";
