import type { Decoder } from "@lethe/decoder";
import type { MemoryNeed, Shape } from "@lethe/tensor";
import type { RoleTexts, Texts } from "../batches.ts";
import type { Objective, PassSizes, Role } from "../method.ts";
import { rowsOfPiece } from "../per-token.ts";
import type { ReferenceForm } from "./form.ts";
import { bytesInF32 } from "./kept.ts";

/**
 * The memory of what the frozen reference gives, as far as its quantities say their shapes: what is held while steps are made, and the rows
 * that are read at once.
 * @param batches that the training reads
 */
export function referenceMemory(
  { device, config }: Decoder,
  { reference = {} }: Objective,
  batches: readonly RoleTexts[],
  form: ReferenceForm,
): MemoryNeed[] {
  const roles = Object.keys(reference) as Role[];
  const shapes = batches.map((texts) =>
    roles.flatMap((role) => {
      const shape = reference[role]!.shapeOf?.(sizesOf(texts[role]!, config));
      return shape ? [shape] : [];
    }),
  );
  const most = rowsOfPiece(config.vocab_size);
  const piece = ([rows, ...rest]: Shape) => bytesInF32(device, [Math.min(rows!, most), ...rest]);
  const largest = Math.max(0, ...shapes.flat().map(piece));
  const read = { part: "activations", name: "rows of what the reference model gives", bytes: largest };
  return [...form.memory(device, shapes), ...(largest > 0 ? [read] : [])];
}

/** Roles of an objective whose quantities do not say their shapes. */
export function rolesOfUnknownSize({ reference = {} }: Objective): Role[] {
  return (Object.keys(reference) as Role[]).filter((role) => !reference[role]!.shapeOf);
}

function sizesOf(texts: Texts, { vocab_size: vocabulary, hidden_size: width }: Decoder["config"]): PassSizes {
  const tokens = Math.max(
    1,
    texts.reduce((sum, { length }) => sum + length - 1, 0),
  );
  return { sequences: texts.length, tokens, vocabulary, width };
}
