import { type Answer, isRight } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";
import type { Answers, AnswersRecord, Evaluation, KnownAnswer } from "./subject.ts";

/** The share of right answers from which a vanilla model counts as knowing its questions. */
export const KNOWN_FROM = 0.98;

/** How many questions of one kind were asked, judged, left out and compared. */
export type QuestionCounts = AnswersRecord["vanilla"]["target"];

/** What became of one vanilla answer. */
interface Judged {
  readonly answer: KnownAnswer;
  readonly verdict: "silent" | "right" | "wrong" | "not judged";
  readonly leftOut: boolean;
}

/** Judges vanilla answers where the data say what is expected, and leaves out those that cannot be compared. */
export function judgeAnswers(
  answers: readonly Answer[],
  expected: readonly string[] | undefined,
  { judge: { name, threshold }, known }: Evaluation,
): Judged[] {
  return answers.map((given, i) => {
    const answer = { ...given, expected: expected?.[i] ?? null };
    const { question, text } = given;
    if (text === "") return { answer, verdict: "silent", leftOut: true };
    if (answer.expected === null) return { answer, verdict: "not judged", leftOut: false };
    const right = isRight(name, { question, expected: answer.expected, answer: text }, threshold);
    return { answer, verdict: right ? "right" : "wrong", leftOut: known && !right };
  });
}

/** The counts of judged answers. */
export function countsOf(judged: readonly Judged[]): QuestionCounts {
  const count = (holds: (one: Judged) => boolean) => judged.filter(holds).length;
  return {
    asked: judged.length,
    judged: count(({ answer }) => answer.expected !== null),
    right: count(({ verdict }) => verdict === "right"),
    silent: count(({ verdict }) => verdict === "silent"),
    unknown: count(({ verdict, leftOut }) => verdict === "wrong" && leftOut),
    compared: count(({ leftOut }) => !leftOut),
  };
}

/**
 * @param asked whose questions they are, for the message
 * @throws ExperimentError when too few questions of a kind are left to compare; it says why, and what to do
 */
export function requireEnough(
  counts: AnswersRecord["vanilla"],
  { leastQuestions, prompt }: Evaluation,
  asked: { readonly model: string; readonly concept: string },
): void {
  for (const [kind, { asked: all, silent, unknown, compared }] of Object.entries(counts)) {
    // Where the data have fewer questions than are needed, none may be lost.
    const least = Math.min(leastQuestions, all);
    if (compared >= least) continue;
    const why = [
      ...(silent > 0 ? [`it ends its text at once on ${silent}`] : []),
      ...(unknown > 0 ? [`it does not know ${unknown}`] : []),
    ];
    const remedies = [
      ...(silent > 0 ? [`another form of the prompt with --prompt (this was ${describePrompt(prompt)})`] : []),
      ...(unknown > 0 ? ["a milder --judge or --judge-threshold, or no --known"] : []),
      "another --concept",
      `fewer with --least-questions ${Math.max(1, compared)}`,
    ];
    throw new ExperimentError(
      `${asked.model} leaves ${compared} of ${all} ${kind} questions of ${asked.concept} to compare, and at least ${least} are needed: ` +
        `${why.join(", and ")}. Try ${remedies.slice(0, -1).join("; ")}${compared > 0 ? `; or ${remedies.at(-1)}` : ""}.`,
    );
  }
}

/** A few vanilla answers and the counts of all, for the person who watches, before anything is trained. */
export function describeAnswers(
  judged: { readonly [K in keyof Answers]: readonly Judged[] },
  counts: AnswersRecord["vanilla"],
  evaluation: Evaluation,
): string {
  const lines = (["target", "unrelated"] as const).flatMap((kind) => [
    ...judged[kind]
      .slice(0, evaluation.examples)
      .map(({ answer, verdict }) => `${kind}, ${verdict}: ${oneLine(answer.question)} → ${oneLine(answer.text)}`),
    `${kind}: ${describeCounts(counts[kind], evaluation)}`,
  ]);
  const unsure = Object.values(counts).some(({ judged, right }) => judged > 0 && right / judged < KNOWN_FROM);
  if (unsure && !evaluation.known)
    lines.push("What a model does not know it cannot forget. --known leaves out what the judge finds wrong.");
  return [`the vanilla model, asked by ${describePrompt(evaluation.prompt)}`, ...lines].join("\n  ");
}

/** "8 of 10 right by keywords (score 0.5 or more), 1 without an answer left out, 9 compared" */
export function describeCounts(counts: QuestionCounts, { judge }: Evaluation): string {
  const { asked, judged, right, silent, unknown, compared } = counts;
  const by = `${judge.name} (score ${judge.threshold} or more)`;
  return [
    judged > 0 ? `${right} of ${judged} right by ${by}` : "not judged, as the data have no answers",
    ...(judged > 0 && judged < asked ? [`${asked - judged} without an expected answer not judged`] : []),
    ...(silent > 0 ? [`${silent} without an answer left out`] : []),
    ...(unknown > 0 ? [`${unknown} not known left out`] : []),
    `${compared} of ${asked} compared`,
  ].join(", ");
}

/** The form of a prompt in words. */
export function describePrompt(form: string): string {
  if (form === "qa") return "the paper's prompt (qa)";
  return form === "chat" ? "the chat template" : `the prompt ${JSON.stringify(form)}`;
}

function oneLine(text: string): string {
  return text === "" ? "(no text)" : text.replace(/\s+/g, " ");
}
