import { folderOf, readText, type Text } from "@lethe/decoder";
import { expect, test } from "vitest";
import { entityTokens } from "../../src/index.ts";

const model = new URL("../../../../models/tiny-llama", import.meta.url).pathname;
const text = (await readText(await folderOf(model)))!;

/** The tokens that are found, as text. */
async function found(question: string, expected: string | null, answer: string, tokenizer: Text = text) {
  const tokens = await tokenizer.encode(answer, { special: false });
  const places = await entityTokens(tokenizer, { question, expected, tokens });
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const runs = places.map((place, i) => ({ place, joined: place - 1 === places[i - 1] }));
  const pieces = await Promise.all(runs.map(({ place }) => tokenizer.decode([tokens[place]!])));
  return pieces.reduce((all, piece, i) => all + (i > 0 && !runs[i]!.joined ? "|" : "") + piece, "").trim();
}

const question = "After which saint is Valentine's Day named?";
const expected = "Valentine's Day is named after Saint Valentine, an early Christian martyr.";

test("tokens of the expected answer's key words that the answer holds", async () => {
  expect(await found(question, expected, expected)).toBe("early Christian martyr");
  expect(await found(question, expected, "A Christian, and an EARLY one.")).toMatch(/^Christian\| EARLY$/);
  expect(await found("On what date?", "On February 14th, every year.", "It is on February 14.")).toBe("February 14");
});

test("all tokens, where none of the key words is there or nothing was expected", async () => {
  const answer = "He was a bishop of Terni.";
  expect(await found(question, expected, answer)).toBe(answer);
  expect(await found(question, null, answer)).toBe(answer);
});

test("all tokens of a word whose characters are several tokens each", async () => {
  const tokens = await text.encode("It is Łódź and 東京 now.", { special: false });
  const places = await entityTokens(text, { question: "Where?", expected: "In Łódź, 東京.", tokens });
  const rest = tokens.filter((_, place) => !places.includes(place));
  expect((await text.decode(rest)).replace(/\s+/g, " ")).toBe("It is and now.");
});
