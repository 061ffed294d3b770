import { checked, text } from "@lethe/tensor/checked";

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
