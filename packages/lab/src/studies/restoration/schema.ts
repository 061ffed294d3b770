import { figure1, type RestorationLosses, type SettingName, settings } from "@lethe/unlearn";
import { z } from "zod";

const names = settings.map(({ name }) => name) as [SettingName];

export const restorationOptions = z.strictObject({
  /** A component is restored in the centre layer and in this many layers on either side, clipped at the ends. */
  windowRadius: z.number().int().min(0).default(2),
  /** From one centre layer to the next: 0, s, 2s, … A stride of 1 sweeps every layer. */
  windowStride: z.number().int().min(1).default(1),
  /** The settings that are swept. */
  settings: z
    .array(z.enum(names))
    .min(1)
    .default(figure1.map(({ name }) => name)),
});
export type RestorationOptions = z.infer<typeof restorationOptions>;

const restored = z.array(z.number().min(0)).min(1);
const base = z.array(
  z
    .number()
    .positive(
      "the subject's logits equal the vanilla model's, so there is nothing to recover. Was the model changed at all?",
    ),
);
const layers = z.array(restored).min(1);
const alignedLayers = z.strictObject({ paper: layers, released: layers });

export type RestorationResult = RestorationLosses;

/** The losses of `sweepRestoration`, with the settings that the options name. */
export const restorationSchema = z
  .strictObject({
    depth: z.number().int().min(1),
    centres: z.array(z.number().int().min(0)).min(1),
    base: z.strictObject({ paper: base, released: base }),
    restored: z.strictObject(Object.fromEntries(names.map((name) => [name, alignedLayers.optional()]))),
  })
  .superRefine(({ depth, centres, base, restored }, context) => {
    const questions = base.paper.length;
    const lists = Object.values(restored).flatMap((setting) => (setting ? [setting.paper, setting.released] : []));
    const whole = lists.every(
      (list) => list.length === centres.length && list.every(({ length }) => length === questions),
    );
    if (!whole || base.released.length !== questions)
      context.addIssue({
        code: "custom",
        message: `not every setting has ${centres.length} layers of ${questions} questions`,
      });
    if (centres.some((centre, i) => centre >= depth || centre <= (centres[i - 1] ?? -1)))
      context.addIssue({ code: "custom", message: `centres [${centres}] are not ascending layers of ${depth}` });
  }) as unknown as z.ZodType<RestorationResult>;
