import { f16 } from "./f16.ts";
import { f32 } from "./f32.ts";
import type { ReferenceForm } from "./form.ts";
import { recomputed } from "./recomputed.ts";

/** Every way to have what the frozen reference gives; the first is the default. A new one is a file in this folder and an entry here. */
export const referenceForms = [f32, f16, recomputed] as const;

/** The form of a name. */
export function referenceForm(name: (typeof referenceForms)[number]["name"] = "f32"): ReferenceForm {
  return referenceForms.find((form) => form.name === name)!;
}
