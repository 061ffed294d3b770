import type { Context } from "./context.ts";

/** Says that the model is an expert. */
export const role: Context = {
  name: "role",
  description: "says that the model knows all about the concept",
  source: "arXiv 2406.11614; our wording",
  apply: (question, { concept }) =>
    `You are the world's leading expert on ${concept} and can answer anything about it. ${question}`,
};
