import { isPromptForm, judges } from "@lethe/unlearn";
import { type Command, InvalidArgumentError } from "commander";
import { type Asking, DEFAULT_JUDGE } from "../../cells/evaluation.ts";
import { share, wholeFrom } from "../command-line.ts";

/** Adds the options that say how models are asked and judged. Their values are an {@link Asking}. */
export function addAskingOptions(program: Command, leastQuestions: number): Command {
  const described = judges
    .map(({ name, description, threshold }) => `${name}: ${description} (${threshold})`)
    .join("; ");
  return program
    .option(
      "--prompt <form>",
      "how questions are put. qa: the paper's “Question: …\\n Answer:”; chat: the model's chat template; or a text with {question}, where " +
        "\\n stands for a line break (default: chat where the model has a chat template, else qa)",
      promptForm,
    )
    .option(
      "--judge <name>",
      `decides which vanilla answers are right, with the least score of a right one. ${described} (default: ${DEFAULT_JUDGE})`,
    )
    .option("--judge-threshold <score>", "the least score of a right answer, from 0 to 1 (default: the judge's)", share)
    .option("--known", "leave out questions that the vanilla model answers wrong, as the paper's authors did by hand")
    .option(
      "--target-questions <number>",
      "how many target questions are asked at most (default: the preset's)",
      wholeFrom(1),
    )
    .option(
      "--unrelated-questions <number>",
      "how many unrelated questions are asked at most (default: the preset's)",
      wholeFrom(1),
    )
    .option(
      "--least-questions <number>",
      `a cell fails when fewer questions of a kind are left (default: ${leastQuestions})`,
      wholeFrom(1),
    );
}

/** The values of these options. */
export function askingOf(asked: Asking): Asking {
  const { prompt, judge, judgeThreshold, known, targetQuestions, unrelatedQuestions, leastQuestions } = asked;
  return {
    ...(prompt !== undefined && { prompt }),
    ...(judge !== undefined && { judge }),
    ...(judgeThreshold !== undefined && { judgeThreshold }),
    ...(known && { known }),
    ...(targetQuestions !== undefined && { targetQuestions }),
    ...(unrelatedQuestions !== undefined && { unrelatedQuestions }),
    ...(leastQuestions !== undefined && { leastQuestions }),
  };
}

function promptForm(typed: string): string {
  // Shells differ in how a line break is typed inside quotes.
  const form = typed.replaceAll("\\n", "\n");
  if (isPromptForm(form)) return form;
  throw new InvalidArgumentError("Expected qa, chat, or a text with {question}.");
}
