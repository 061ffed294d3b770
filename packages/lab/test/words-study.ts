import { z } from "zod";
import { html } from "../src/report/html.ts";
import type { Study } from "../src/studies/study.ts";

const options = z.strictObject({ kind: z.enum(["target", "unrelated"]).default("target") });
const schema = z.strictObject({ words: z.array(z.number().int()) });

/** A second study, as somebody would add one: it counts the words of the vanilla model's answers. */
export const words: Study<z.infer<typeof options>, z.infer<typeof schema>> = {
  name: "words",
  title: "Words of the answers",
  options,
  schema,
  measure: async ({ known }, { kind }) => ({ words: known[kind].map(({ text }) => text.split(" ").length) }),
  summary: ({ words }) => `${words.length} answers counted`,
  sections: async (cells) => ({
    summary: html`<p>Words were counted.</p>`,
    sections: [{ title: "Words", body: html`<p>${cells.map(({ result }) => result.words.join(", ")).join("; ")}</p>` }],
    limits: html`<p>Words are not knowledge.</p>`,
    files: { "words.txt": cells.map(({ config }) => `${config.concept.name}\n`).join("") },
  }),
};
