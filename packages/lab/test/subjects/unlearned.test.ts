import { type Concept, forgetParagraphs, methods, refusals } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { expect, test } from "vitest";
import { howToUnlearn } from "../../src/subjects/unlearned.ts";
import type { Vanilla } from "../../src/subjects/vanilla/vanilla.ts";
import { fakeConfig } from "../fake-cell.ts";

const [concept, retain] = (await loadConcepts("data/llama.json")) as [Concept, Concept];
/** A text's tokens are its characters. */
const encode = async (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
const vanilla = { text: { encode }, model: undefined } as unknown as Pick<Vanilla, "text" | "model">;

test("a method is given the texts that it prefers, where they are refusals", async () => {
  for (const { name, prefers } of methods) {
    const { subject, ...config } = fakeConfig(concept.name, name);
    const task = { config: { ...config, subject: subject as never }, sources: { model: "", concept, retain } };
    const how = await howToUnlearn(vanilla, task);
    expect(how).toMatchObject({ method: name, retain: await Promise.all(forgetParagraphs(retain, 0).map(encode)) });
    const refused = prefers?.(how.options) === "refusal";
    expect("preferred" in how && how.preferred).toEqual(refused && (await Promise.all(refusals.map(encode))));
    expect(refused).toBe(name === "dpo");
  }
});
