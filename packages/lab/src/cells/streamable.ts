import { methodNamed, trainedPart } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";
import type { Study } from "../studies/study.ts";
import { needsDevice } from "../subjects/vanilla/vanilla.ts";
import type { Cell } from "./cell.ts";

/**
 * Requires that studies do without a vanilla model on the device.
 * @throws ExperimentError that names a study which does not
 */
export function requireStreamableStudies(studies: readonly Study[]): void {
  const kept = studies.find(({ vanillaOnDevice }) => vanillaOnDevice);
  if (kept) throw needsDevice(`--study ${kept.name}`);
}

/**
 * Requires that a cell does without a vanilla model on the device, before anything is loaded.
 * @throws ExperimentError that names the option which does not
 */
export function requireStreamable({ config: { subject, studies } }: Cell, known: readonly Study[]): void {
  requireStreamableStudies(known.filter(({ name }) => name in studies));
  if (subject.kind !== "unlearned" || subject.training.references !== "recomputed") return;
  const { method, options, train } = subject;
  const { objective, trains } = methodNamed(method);
  const compares = Object.keys(objective?.(options).reference ?? {}).length > 0;
  const part = train === "own" ? trains?.(options) : trainedPart(train);
  if (compares && !part?.lowRank)
    throw new ExperimentError(
      `--references recomputed runs the vanilla model beside the one that is trained: leave out --vanilla streamed, or train low-rank updates ` +
        "(--train lora:RANK), or keep what the reference gives (--references f16).",
    );
}
