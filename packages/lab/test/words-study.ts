import { z } from "zod";
import { html } from "../src/report/html.ts";
import type { Study } from "../src/studies/study.ts";

const options = z.strictObject({ kind: z.enum(["target", "unrelated"]).default("target") });
const counts = z.array(z.number().int());
const schema = z.strictObject({
  words: counts,
  /** Words of the trained model's answers, after each epoch of training but the last. */
  epochs: z.array(counts),
});

const wordsOf = ({ text }: { readonly text: string }) => text.split(" ").length;

/** A second study, as somebody would add one: it counts the words of the vanilla model's answers, and epoch by epoch of the trained one's. */
export const words: Study<z.infer<typeof options>, z.infer<typeof schema>> = {
  name: "words",
  title: "Words of the answers",
  options,
  schema,
  atEpoch: async ({ answers }, { kind }) => answers[kind].map(wordsOf),
  measure: async ({ known, epochs }, { kind }) => ({ words: known[kind].map(wordsOf), epochs: epochs as number[][] }),
  summary: ({ words }) => `${words.length} answers counted`,
  sections: async (cells) => ({
    summary: html`<p>Words were counted.</p>`,
    sections: [{ title: "Words", body: html`<p>${cells.map(({ result }) => result.words.join(", ")).join("; ")}</p>` }],
    limits: html`<p>Words are not knowledge.</p>`,
    files: { "words.txt": cells.map(({ config }) => `${config.concept.name}\n`).join("") },
  }),
};
