import type { Text } from "@lethe/decoder";
import { anyObject, checked, checkedAsync, type Kind, optional, text } from "@lethe/tensor/checked";

/** The prompt that asks a model a question: `Question: {question}\n Answer:`, as the paper puts it. @function */
export const promptOf = checked(
  "promptOf",
  { question: text },
  (question: string): string => `Question: ${question}\n Answer:`,
);

/** Prompt and answer as one text, joined as a model would continue: with one space. @function */
export const promptWithAnswer = checked(
  "promptWithAnswer",
  { question: text, answer: text },
  (question: string, answer: string): string => `${promptOf(question)} ${answer}`,
);

const PLACE = "{question}";

/**
 * How a question is put to a model: `qa` as the paper does ({@link promptOf}), `chat` by the chat template of the model's directory, or a
 * text of one's own in which `{question}` stands for the question.
 */
export type PromptForm = "qa" | "chat" | (string & {});

/** Whether a text is a {@link PromptForm}: `qa`, `chat`, or a text with `{question}`. @function */
export const isPromptForm = checked(
  "isPromptForm",
  { form: text },
  (form: string): boolean => form === "qa" || form === "chat" || form.includes(PLACE),
);

/** An argument that is a {@link PromptForm}. */
export const promptForm: Kind = {
  wanted: `qa, chat, or a text with ${PLACE}`,
  accepts: (value) => typeof value === "string" && isPromptForm(value),
  choices: ["qa", "chat"],
};

/**
 * The date that chat templates see which write today's. It is the one that LLaMA 3's templates fall back on. With the clock's, the same
 * experiment would ask other prompts on another day.
 */
const DATE = new Date(2024, 6, 26);

/** The text that asks a model a question, without what a tokenizer puts around it. @throws {ModelUseError} as {@link promptTokens} */
export function promptText(tokenizer: Text, question: string, form: PromptForm): string {
  if (form === "qa") return promptOf(question);
  if (form !== "chat") return form.replaceAll(PLACE, () => question);
  const turns = [{ role: "user", content: question }];
  return tokenizer.renderChatTemplate(turns, { addGenerationPrompt: true, now: DATE });
}

/**
 * The tokens that ask a model a question.
 * - `qa` and a text of one's own get what the tokenizer puts before a text, such as BOS; where the text begins with that token, it is put once.
 * - `chat` is one turn of the user, and the beginning of the assistant's. The template writes its own special tokens, as with
 *   `apply_chat_template(…, add_generation_prompt=True)` of `transformers`. One that writes the date gets the same one every day.
 *
 * @param form default: `qa`
 * @throws {ModelUseError} for `chat` when there is no chat template, or when it refuses the question
 * @function
 */
export const promptTokens = checkedAsync(
  "promptTokens",
  { tokenizer: anyObject, question: text, form: optional(promptForm) },
  async (tokenizer: Text, question: string, form: PromptForm = "qa"): Promise<number[]> => {
    const prompt = promptText(tokenizer, question, form);
    // A chat template writes its own special tokens.
    if (form === "chat") return tokenizer.encode(prompt, { special: false });
    const [whole, own] = [await tokenizer.encode(prompt), await tokenizer.encode(prompt, { special: false })];
    return whole.length > own.length && whole[0] === own[0] && whole[1] === own[0] ? own : whole;
  },
);
