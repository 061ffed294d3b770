import { z } from "zod";

/** The values of a field that is one of some names; undefined for any other field. */
export function namesOf(values: z.ZodType): readonly string[] | undefined {
  const inner = values instanceof z.ZodOptional ? (values.unwrap() as z.ZodType) : values;
  return inner instanceof z.ZodEnum ? inner.options.map(String) : undefined;
}
