import { controlsOf } from "../subjects/controls.ts";
import type { ReportCell } from "./panels.ts";

/** The controls of some cells, each once, by their subjects' kind: "noise". */
export function controlsByKind<C extends ReportCell>(cells: readonly C[], among: readonly C[]): Map<string, C[]> {
  const kinds = new Map<string, C[]>();
  for (const control of new Set(cells.flatMap((cell) => controlsOf(cell, among)))) {
    const { kind } = control.config.subject;
    kinds.set(kind, [...(kinds.get(kind) ?? []), control]);
  }
  return kinds;
}
