import { folderOf, hasChatTemplate, type ModelPlace } from "@lethe/decoder";
import { judgeNamed, type PromptForm } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";
import { placeName } from "../subjects/place.ts";
import type { Evaluation } from "../subjects/subject.ts";

/** How many questions are asked, and how many must be left. */
export type Breadth = Omit<Evaluation, "prompt" | "judge" | "known">;

/** How models are asked and judged, as far as somebody chose it. */
export interface Asking {
  /** Default: `chat` where the model's directory has a chat template, and `qa` elsewhere. */
  readonly prompt?: PromptForm;
  /** A judge's name. Default: `keywords`, which finds an answer right that says the same in other words. */
  readonly judge?: string;
  /** The least score of a right answer. Default: the judge's own. */
  readonly judgeThreshold?: number;
  readonly known?: boolean;
  /** How many questions of each kind are asked at most, and how many must be left. Default: the preset's. */
  readonly targetQuestions?: number;
  readonly unrelatedQuestions?: number;
  readonly leastQuestions?: number;
}

export const DEFAULT_JUDGE = "keywords";

/**
 * How a model is evaluated.
 * @param model a directory, or a model's name on the Hugging Face Hub
 * @throws ExperimentError when a chat template is asked for where there is none
 * @throws LetheError when there is no judge of this name
 */
export async function evaluationOf(model: ModelPlace, breadth: Breadth, asking: Asking): Promise<Evaluation> {
  const { name, threshold } = judgeNamed(asking.judge ?? DEFAULT_JUDGE);
  const { targetQuestions, unrelatedQuestions, leastQuestions } = { ...breadth, ...asking };
  return {
    ...breadth,
    targetQuestions,
    unrelatedQuestions,
    leastQuestions,
    prompt: await promptFor(model, asking.prompt),
    judge: { name, threshold: asking.judgeThreshold ?? threshold },
    known: asking.known ?? false,
  };
}

async function promptFor(model: ModelPlace, asked: PromptForm | undefined): Promise<PromptForm> {
  if (asked !== undefined && asked !== "chat") return asked;
  if (await hasChatTemplate(await folderOf(model))) return "chat";
  if (asked === undefined) return "qa";
  throw new ExperimentError(
    `--prompt chat: there is no chat template in ${placeName(model)}, neither chat_template.jinja nor chat_template in tokenizer_config.json. ` +
      "Leave the option out for the paper's prompt, or give a text with {question}.",
  );
}
