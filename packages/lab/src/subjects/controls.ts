import { isEqual } from "es-toolkit/predicate";
import { type MeasuredSubject, type SubjectConfig, subjectKind } from "./list.ts";

/** Whether a subject is there only to be set beside others: its scores are not averaged with theirs. */
export function isControl({ config }: Pick<MeasuredSubject, "config">): boolean {
  return subjectKind(config.subject).control !== undefined;
}

/** Those of some measured subjects that control another one, in their order. A control has none. */
export function controlsOf<C extends Pick<MeasuredSubject, "config">>(measured: C, among: readonly C[]): C[] {
  if (isControl(measured)) return [];
  return among.filter(({ config }) => isControlOf(config, measured.config));
}

function isControlOf(control: SubjectConfig, other: SubjectConfig): boolean {
  const alike = (["model", "concept", "evaluation"] as const).every((field) => isEqual(control[field], other[field]));
  return alike && (subjectKind(control.subject).control?.controls(control, other) ?? false);
}
