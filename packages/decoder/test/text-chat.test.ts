import { memoryFolder } from "@lethe/testing/memory-folder";
import { describe, expect, test } from "vitest";
import {
  type ChatMessage,
  type ChatOptions,
  hasChatTemplate,
  ModelUseError,
  readText,
  type Text,
} from "../src/index.ts";
import { strftime } from "../src/text/strftime.ts";
import { golden, goldenFiles } from "./golden-text.ts";

interface ChatCase {
  readonly template: string;
  readonly messages: readonly ChatMessage[];
  /** Whether the assistant's turn is opened. */
  readonly prompt: boolean;
  readonly tools?: readonly object[];
  readonly documents?: readonly object[];
  /** The template asked for. */
  readonly chosen?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly rendered: string;
  readonly ids: readonly number[];
}

const { files, chats } = JSON.parse(await golden("chats.json")) as {
  files: Record<string, Record<string, unknown> & { base: string }>;
  chats: ChatCase[];
};
const texts = new Map<string, Text>();
for (const [name, { base, ...given }] of Object.entries(files)) {
  const text = await readText(memoryFolder({ ...(await goldenFiles(base)), ...given }));
  texts.set(name, text!);
}

test.each(chats.map((chat, index) => ({ ...chat, index })))(
  "$template, conversation $index",
  async ({ template, messages, prompt, chosen, tools, documents, variables, rendered, ids }) => {
    const options: ChatOptions = {
      addGenerationPrompt: prompt,
      ...(tools && { tools }),
      ...(documents && { documents }),
      ...(chosen && { template: chosen }),
      ...(variables && { variables }),
    };
    const text = texts.get(template)!;
    expect(text.renderChatTemplate(messages, options)).toBe(rendered);
    expect(await text.applyChatTemplate(messages, options)).toEqual(ids);
  },
);

describe("conversations that cannot be written", () => {
  const messages = [{ role: "user", content: "Hi" }];
  const render = (name: string, given: readonly ChatMessage[], options?: ChatOptions) => () =>
    texts.get(name)!.renderChatTemplate(given, options);

  test("a directory without a chat template: the error says where Lethe looked", async () => {
    const text = (await readText(memoryFolder(await goldenFiles("olmo"))))!;
    expect(() => text.renderChatTemplate(messages)).toThrow(
      "models/x: there is no chat template, neither chat_template.jinja nor chat_template in tokenizer_config.json",
    );
    await expect(text.applyChatTemplate(messages)).rejects.toThrow(ModelUseError);
    expect(text.renderChatTemplate(messages, { template: "{{ messages[0].content }}" })).toBe("Hi");
  });

  test("an unknown template name: the error lists the known ones", () => {
    expect(render("named", messages, { template: "rag" })).toThrow(
      'models/x: there is no chat template "rag"; there are "default", "tool_use". Give one of these, or a Jinja template.',
    );
  });

  test("a template that refuses the messages: the error quotes it", () => {
    expect(render("llama-2", [messages[0]!, messages[0]!])).toThrow(
      'models/x: chat template "default" refuses these messages: turns must go user, assistant, user, assistant',
    );
    expect(render("olmo", [{ role: "cook" }])).toThrow("refuses these messages: no role cook here");
  });

  test("a template with a syntax error", () => {
    expect(render("olmo", messages, { template: "{% for %}" })).toThrow(
      /^models\/x: chat template given cannot be rendered: ./,
    );
    expect(render("olmo", messages, { template: "{{ messages | nothing }}" })).toThrow(ModelUseError);
    expect(render("olmo", [])).toThrow('models/x: chat template "default" was given no messages');
  });
});

test("whether a directory has a chat template is known without its tokenizer", async () => {
  const files = await goldenFiles("olmo");
  expect(await hasChatTemplate(memoryFolder({}))).toBe(false);
  expect(await hasChatTemplate(memoryFolder(files))).toBe(false);
  expect(await hasChatTemplate(memoryFolder({ ...files, "chat_template.jinja": "{{ messages }}" }))).toBe(true);
  const named = { chat_template: [{ name: "tool_use", template: "" }] };
  expect(await hasChatTemplate(memoryFolder({ ...files, "tokenizer_config.json": named }))).toBe(false);
});

test("dates are in English in every locale", () => {
  const date = new Date(2024, 6, 4, 15, 7, 9);
  expect(strftime(date, "%A %a %d %B %b %m %Y %y %H:%M:%S %I %p %% %-d.%-m. %e %F %T %j")).toBe(
    "Thursday Thu 04 July Jul 07 2024 24 15:07:09 03 PM % 4.7.  4 2024-07-04 15:07:09 186",
  );
  expect(() => strftime(date, "%d %Q")).toThrow("the date format %Q is not supported");
  const today = texts
    .get("named")!
    .renderChatTemplate([{ role: "user" }], { template: "{{ strftime_now('%d %b %Y') }}" });
  expect(today).toMatch(/^\d\d [A-Z][a-z]{2} \d{4}$/);
  const template = "{{ strftime_now('%d %b %Y') }}";
  expect(texts.get("named")!.renderChatTemplate([{ role: "user" }], { template, now: date })).toBe("04 Jul 2024");
});
