import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readText, type Text } from "@lethe/decoder";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { describe, expect, test } from "vitest";
import { promptTokens, promptWords, splitWords } from "../../src/index.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const GOLDEN = "packages/decoder/test/golden";
const CHAT =
  "<s>{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

async function tokenizer(directory: string, template = CHAT): Promise<Text> {
  const files = ["tokenizer.json", "tokenizer_config.json"].map(
    async (name) => [name, await readFile(`${root}/${directory}/${name}`, "utf8")] as const,
  );
  const all = { ...Object.fromEntries(await Promise.all(files)), "chat_template.jinja": template };
  return (await readText(memoryFolder(all)))!;
}

const text = await tokenizer("models/tiny-llama");

/** The words of a question and the text of their tokens; then the text of the tokens that belong to none. */
async function found(own: Text, question: string, form?: string) {
  const { tokens, words } = await promptWords(own, question, form);
  expect(tokens).toEqual(await promptTokens(own, question, form));
  const textOf = async (places: readonly number[]) =>
    (
      await own.decode(
        places.map((place) => tokens[place]!),
        { special: true },
      )
    ).trim();
  const taken = new Set(words.flatMap(({ tokens }) => tokens));
  return {
    words: await Promise.all(words.map(async ({ text, tokens }) => [text, await textOf(tokens)])),
    rest: await textOf([...tokens.keys()].filter((place) => !taken.has(place))),
  };
}

test("sub-words are one word with its punctuation, and the template belongs to none", async () => {
  const question = "After which saint is Valentine's Day named?";
  const { words, rest } = await found(text, question);
  expect(words).toEqual(splitWords(question).map((word) => [word, word]));
  expect(rest).toBe("<s>Question:\n Answer:");
  const asked = await promptWords(text, question);
  expect(asked.question).toBe(question);
  // Valentine 's
  expect(asked.words[4]!.tokens).toHaveLength(2);
  for (const { tokens } of asked.words) expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
});

test("a word of the template in the question, and a word twice, are told apart by their places", async () => {
  const asked = await promptWords(text, "Question: Question: Answer:");
  const places = asked.words.map(({ tokens }) => tokens);
  expect(places.flat()).toEqual(places.flat().toSorted((a, b) => a - b));
  expect((await found(text, "Question: Question: Answer:")).rest).toBe("<s>Question: \n Answer:");
  expect(await found(text, "user", "chat")).toEqual({ words: [["user", "user"]], rest: "<s>[user]</s>[assistant]" });
});

test("white space around the question belongs to no word, and within it to the word that follows", async () => {
  const { words, rest } = await found(text, "  Who   wrote\n\nit ? ");
  expect(words).toEqual(["Who", "wrote", "it", "?"].map((word) => [word, word]));
  expect(rest).toBe("<s>Question:   \n Answer:");
});

test("a form of one's own may begin with the question, end with it, touch it, and ask it twice", async () => {
  const question = "Who wrote it?";
  expect((await found(text, question, "{question}")).rest).toBe("<s>");
  expect((await found(text, question, "Say: {question}")).rest).toBe("<s>Say:");
  const twice = await found(text, question, "({question}) again: {question}\n");
  expect(twice.rest.replace(/\s+/g, " ")).toMatch(/^<s>\(?\)? again:$/);
  expect(twice.words.map(([, own]) => own!.replace(/[()\s]/g, ""))).toEqual(["WhoWho", "wrotewrote", "it?it?"]);
});

describe.each(["llama-2", "llama-2-metaspace", "llama-3", "olmo"])("the tokenizer of %s", async (name) => {
  const own = await tokenizer(`${GOLDEN}/${name}`);
  test.each(["qa", "chat", "Q: {question}\nA:"])("as %s", async (form) => {
    for (const question of [
      "Who wrote the Harry Potter books?",
      "Is Łódź or 東京 🦙🦙 older, e.g. by 1,000 years?",
      "Why   (so)\tmany\u00a0spaces ?",
    ]) {
      const { words, rest } = await found(own, question, form);
      expect(words).toEqual(splitWords(question).map((word) => [word, word]));
      const template = form === "qa" ? "Question: Answer:" : form === "chat" ? "[user][assistant]" : "Q: A:";
      expect(rest.replace(/<[^>]*>|\s+/g, "")).toBe(template.replace(/\s+/g, ""));
    }
  });
});

test("a tokenizer may compose characters", async () => {
  const own = await tokenizer(`${GOLDEN}/olmo`);
  const question = "Is Ło\u0301dz\u0301 old?";
  const { words } = await found(own, question);
  expect(words).toEqual([
    ["Is", "Is"],
    ["Ło\u0301dz\u0301", "Łódź"],
    ["old?", "old?"],
  ]);
});

/** A tokenizer that takes the first of its texts with which the rest begins. */
function stub(vocabulary: readonly string[]): Text {
  const encode = async (whole: string) => {
    const tokens = [];
    for (let rest = whole; rest !== ""; ) {
      const token = vocabulary.findIndex((own) => rest.startsWith(own));
      expect(token, rest).toBeGreaterThanOrEqual(0);
      tokens.push(token);
      rest = rest.slice(vocabulary[token]!.length);
    }
    return tokens;
  };
  const decode = async (tokens: readonly number[]) => tokens.map((token) => vocabulary[token]).join("");
  return { encode, decode } as Partial<Text> as Text;
}

test("a token with characters of two words belongs to both; with some of the template, to the word", async () => {
  const own = stub(["Q:", " of the", " of", " the", " king", "?\n", "? Answer", "\n", " ", "A:"]);
  const placesOf = async (question: string, form: string) =>
    (await promptWords(own, question, form)).words.map(({ tokens }) => tokens);
  expect(await placesOf("king of the king?", "Q: {question}\nA:")).toEqual([[1], [2], [2], [3, 4]]);
  expect(await placesOf(" of  the king?", "{question} AnswerA:")).toEqual([[0], [1, 2], [3, 4]]);
  // A line break that the first word's token holds is not the second's; a space of its own is.
  expect(await placesOf(" king?\n  the", "Q: {question}A:")).toEqual([
    [2, 3],
    [4, 5],
  ]);
  // "A:" begins with a character that is in no other token.
  expect(await placesOf("king", "Q: {question}A:")).toEqual([[1]]);
});

test("a question without words, and one that is not in the prompt's tokens, are errors", async () => {
  for (const question of ["", " \n"]) await expect(promptWords(text, question)).rejects.toThrow("has no words");
  const silent = await tokenizer("models/tiny-llama", "[user] …");
  await expect(promptWords(silent, "Who?", "chat")).rejects.toThrow('expected a prompt that holds "Who?" as it is');
  const loud = await tokenizer("models/tiny-llama", "{{ messages[0].content | upper }}");
  await expect(promptWords(loud, "Who?", "chat")).rejects.toThrow("leaves out the question or changes it");
  const lossy = { ...text, decode: async () => "something else" };
  await expect(promptWords(lossy, "Who?")).rejects.toThrow(
    'the tokenizer changes the text of the prompt that asks "Who?"',
  );
});
