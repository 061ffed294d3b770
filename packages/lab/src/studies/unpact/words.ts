import type { Rate, TokenClass } from "@lethe/unlearn";
import { score } from "../../report/tables.ts";
import type { AnswerOf, OtherAttribution } from "./options.ts";
import type { Prompt } from "./schema.ts";

// What things are called in the report.

export const NONE = "–";

/** A way to ask again: "focus", "focus, other words", "neutral suffix", "page, another concept". */
export function promptName({ kind, name, control }: Prompt): string {
  if (kind === "neutral") return "neutral suffix";
  if (!control) return name;
  return `${name}, ${kind === "emphasis" ? "other words" : "another concept"}`;
}

export function titleOf(of: TokenClass): string {
  return { content: "content words", common: "common words", other: "no words" }[of];
}

export function answerName(answer: AnswerOf): string {
  return { vanilla: "the vanilla answer", own: "each model's own answer", expected: "the expected answer" }[answer];
}

export function attributionName(name: OtherAttribution | "leave-one-out"): string {
  return {
    "leave-one-out": "leave one out",
    "gradient-times-input": "gradient × input",
    "integrated-gradients": "integrated gradients",
    "attention-mass": "attention",
  }[name];
}

/** The tokens of a band of frequency: "2 to 4 times". */
export function bandName({ from, to }: { readonly from: number; readonly to: number | null }): string {
  if (to === null) return `${from} times or more`;
  return from === to ? (from === 1 ? "once" : `${from} times`) : `${from} to ${to} times`;
}

export function scoreOrNone(value: number | null): string {
  return value === null ? NONE : score(value);
}

/** "0.40 [0.12, 0.77] 2/5", on one line */
export function rateText({ rate, low, high, count, of }: Rate): string {
  if (rate === null) return NONE;
  return `${score(rate)} [${score(low)}, ${score(high)}] ${count}/${of}`.replaceAll(" ", "\u00a0");
}
