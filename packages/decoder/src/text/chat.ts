import type { Folder } from "@lethe/tensor";
import { ModelUseError } from "../errors.ts";
import { renderTemplate } from "./jinja/render.ts";
import { strftime } from "./strftime.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.ts";

/** One turn of a conversation. Templates may read further fields, such as `tool_calls`. */
export interface ChatMessage {
  /** Such as "system", "user", "assistant". */
  readonly role: string;
  /** Text; for some templates a list of parts. */
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** How a conversation becomes text. */
export interface ChatOptions {
  /** Adds the beginning of the assistant's turn, for the model to continue. Default: false. */
  readonly addGenerationPrompt?: boolean;
  /** The name of one of the directory's templates, or a Jinja template. Default: "tool_use" if tools are given and it exists, else "default". */
  readonly template?: string;
  /** Tools as JSON schemas, for templates that know them. */
  readonly tools?: readonly object[];
  /** Documents to answer from, for templates that know them. */
  readonly documents?: readonly object[];
  /** Further variables of the template, such as `date_string`. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The date that a template sees which asks for one. Default: the clock's. Give one where texts must stay the same from day to day. */
  readonly now?: Date;
}

/** The chat templates of a directory, and the special tokens of its tokenizer. */
export interface ChatTemplates {
  /** Name of the directory, for errors. */
  readonly name: string;
  /** Jinja templates by name. */
  readonly templates: ReadonlyMap<string, string>;
  /** Special tokens by role, such as `bos_token`. */
  readonly tokens: Readonly<Record<string, string>>;
}

/**
 * The templates of `chat_template.jinja` or, without that file, of `tokenizer_config.json`: one, or a list with names. A folder
 * `additional_chat_templates` is not read; the text of such a template can be given in its place.
 */
export function chatTemplatesOf({ config, chatTemplate }: TokenizerFiles): ReadonlyMap<string, string> {
  const given = chatTemplate ?? config.chat_template;
  if (typeof given === "string") return new Map([["default", given]]);
  return new Map(given?.map(({ name, template }) => [name, template]));
}

/** Whether a model's directory has a chat template that is used where none is named. @throws {ModelError} when a file of the tokenizer is broken */
export async function hasChatTemplate(folder: Folder): Promise<boolean> {
  const files = await readTokenizerFiles(folder);
  return files !== undefined && chatTemplatesOf(files).has("default");
}

/**
 * The text of a conversation, as `apply_chat_template` of `transformers` gives it. A template that uses what is not supported, or makes too
 * much, is an error.
 * @throws {ModelUseError} when there is no such template, when it cannot be rendered, or when it refuses the messages
 */
export function renderChat(chat: ChatTemplates, messages: readonly ChatMessage[], options: ChatOptions = {}): string {
  const { name, source } = choose(chat, options);
  const fail = (why: string, cause?: unknown) =>
    new ModelUseError(`${chat.name}: chat template ${name} ${why}`, { cause });
  if (messages.length === 0) throw fail("was given no messages; give at least one");
  const variables: Record<string, unknown> = {
    ...chat.tokens,
    // A template must not see fields without a value.
    messages: messages.map((message) =>
      Object.fromEntries(Object.entries(message).filter(([, value]) => value != null)),
    ),
    tools: options.tools ?? null,
    documents: options.documents ?? null,
    add_generation_prompt: options.addGenerationPrompt ?? false,
    ...options.variables,
  };
  try {
    return renderTemplate(source, variables, {
      strftime_now: (format) => strftime(options.now ?? new Date(), format),
      raise_exception: (message) => {
        throw fail(`refuses these messages: ${message}`);
      },
    });
  } catch (cause) {
    if (cause instanceof ModelUseError) throw cause;
    throw fail(`cannot be rendered: ${(cause as Error).message}`, cause);
  }
}

function choose(
  { name: where, templates }: ChatTemplates,
  { template, tools }: ChatOptions,
): { name: string; source: string } {
  const wanted = template ?? (tools && templates.has("tool_use") ? "tool_use" : "default");
  const source = templates.get(wanted);
  if (source !== undefined) return { name: JSON.stringify(wanted), source };
  if (template && /\{[{%]/.test(template)) return { name: "given", source: template };
  if (templates.size > 0) {
    const known = [...templates.keys()].map((one) => JSON.stringify(one)).join(", ");
    throw new ModelUseError(
      `${where}: there is no chat template "${wanted}"; there are ${known}. Give one of these, or a Jinja template.`,
    );
  }
  throw new ModelUseError(
    `${where}: there is no chat template, neither chat_template.jinja nor chat_template in tokenizer_config.json. Models that were not ` +
      "trained on chats have none. Write the prompt as text, or give a Jinja template with { template }.",
  );
}
