import { controlsByKind } from "../controls.ts";
import type { ReportCell } from "../panels.ts";
import type { Line } from "./lines.ts";

/** How the lines of controls differ: lengths of strokes and gaps. */
const STROKES: readonly (readonly number[])[] = [
  [6, 3],
  [2, 3],
  [9, 3, 2, 3],
];

/** How the line of the control in this place is drawn. */
export function strokesOf(place: number): readonly number[] {
  return STROKES[place % STROKES.length]!;
}

/** The lines of some cells' controls, one for each kind of control. */
export function linesBeside<C extends ReportCell>(
  cells: readonly C[],
  among: readonly C[],
  valuesOf: (control: C) => readonly number[],
): Line<C>[] {
  return Array.from(controlsByKind(cells, among), ([kind, controls], i) => {
    return {
      label: kind,
      place: 0,
      cells: controls,
      values: controls.map(valuesOf),
      beside: strokesOf(i),
    };
  });
}

/** Cells and their controls. */
export function withControls<C extends ReportCell>(cells: readonly C[], among: readonly C[]): C[] {
  return [...cells, ...[...controlsByKind(cells, among).values()].flat()];
}
