import { assembleCell, type CellResult } from "../../src/experiment/cell.ts";
import type { Method } from "../../src/experiment/presets.ts";
import { fakeConfig, fakeMeasurements } from "../experiment/fake-cell.ts";

/** A made-up result. */
export function fakeResult(concept?: string, method?: Method, model?: string): CellResult {
  const config = fakeConfig(concept, method, model);
  return assembleCell(config, fakeMeasurements(config));
}
