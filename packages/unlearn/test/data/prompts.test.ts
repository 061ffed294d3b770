import { fileURLToPath } from "node:url";
import { folderOf, ModelUseError, readText, type Text } from "@lethe/decoder";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import { isPromptForm, promptOf, promptTokens } from "../../src/index.ts";

const directory = fileURLToPath(new URL("../../../../models/tiny-llama", import.meta.url));
const folder = await folderOf(directory);
const text = (await readText(folder))!;
const question = "Who wrote $& the Harry Potter books?";

/** The tiny tokenizer, with a chat template. */
async function withTemplate(template: string): Promise<Text> {
  const names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];
  const files = names.map(async (name) => {
    const source = (await folder.open(name))!;
    return [name, new TextDecoder().decode(await source.read(0, source.size))] as const;
  });
  return (await readText(
    memoryFolder({ ...Object.fromEntries(await Promise.all(files)), "chat_template.jinja": template }),
  ))!;
}

test("a form is qa, chat, or a text with a place for the question", () => {
  for (const form of ["qa", "chat", "{question}", "Q: {question}\nA:"]) expect(isPromptForm(form)).toBe(true);
  for (const form of ["", "QA", "cat", "Q: {q}"]) expect(isPromptForm(form)).toBe(false);
});

test("qa is the paper's prompt, with the BOS of the tokenizer, and what is asked without a form", async () => {
  const ids = await promptTokens(text, question);
  expect(ids).toEqual(await text.encode(promptOf(question)));
  expect(ids[0]).toBe(0);
  expect(await promptTokens(text, question, "qa")).toEqual(ids);
  expect(await promptTokens(text, question, "Question: {question}\n Answer:")).toEqual(ids);
});

test("a text of one's own may write the BOS itself", async () => {
  const form = "Q: {question} ({question})\nA:";
  const ids = await promptTokens(text, question, form);
  expect(await text.decode(ids)).toBe(`Q: ${question} (${question})\nA:`);
  expect(ids.filter((id) => id === 0)).toHaveLength(1);
  expect(await promptTokens(text, question, `<s>${form}`)).toEqual(ids);
});

test("chat is a turn of the user and the beginning of the answer, with the special tokens of the template alone", async () => {
  const template =
    "<s>{% for m in messages %}[{{ m.role }}] {{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
  const ids = await promptTokens(await withTemplate(template), question, "chat");
  expect(await text.decode(ids, { special: true })).toBe(`<s>[user] ${question}</s>[assistant]`);
  expect(ids.filter((id) => id === 0)).toHaveLength(1);
});

test("chat does not depend on the clock", async () => {
  const dated = await withTemplate("{{ strftime_now('%d %b %Y %H:%M') }} {{ messages[0].content }}");
  expect(await text.decode(await promptTokens(dated, "Hi", "chat"))).toBe("26 Jul 2024 00:00 Hi");
});

test("chat needs a template", async () => {
  await expect(promptTokens(text, question, "chat")).rejects.toThrow(ModelUseError);
});
