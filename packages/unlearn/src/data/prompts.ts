/** The prompt that asks a model a question: `Question: {question}\n Answer:`, as the paper puts it. */
export function promptOf(question: string): string {
  return `Question: ${question}\n Answer:`;
}

/** Prompt and answer as one text, joined as a model would continue: with one space. */
export function promptWithAnswer(question: string, answer: string): string {
  return `${promptOf(question)} ${answer}`;
}
