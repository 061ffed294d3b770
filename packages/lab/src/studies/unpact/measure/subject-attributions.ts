import type { Decoder } from "@lethe/decoder";
import type { Subject, Watcher } from "../../../subjects/subject.ts";
import type { UnpactOptions } from "../options.ts";
import type { AttributedWords, EpochAttributions, UnpactResult } from "../schema.ts";
import { attributionOf, keyAnswerOf, QUESTION_KINDS, type QuestionKind } from "../scores.ts";
import { attributionsOf } from "./attributions.ts";
import { LEAVING_OUT } from "./stages.ts";
import { type VanillaPart, vanillaPart, type Watch } from "./vanilla.ts";

/** Leaves the words of the attributed questions out in the subject, for each answer of the options. */
export async function subjectAttributions(
  { vanilla, model, answers }: Subject<Decoder>,
  { attributed }: VanillaPart,
  options: UnpactOptions,
  { progress, signal }: Watch,
): Promise<UnpactResult["attributed"]> {
  const questions = QUESTION_KINDS.flatMap((kind) =>
    attributed[kind].map((question, place) => ({ ...question, kind, own: answers[kind][place]!.tokens })),
  );
  const scored = questions.flatMap(({ asked, known, own, expected }) =>
    options.answers.map((answer) => ({ asked, answer: { vanilla: known.tokens, own, expected }[answer] })),
  );
  const watching = { progress: (share: number) => progress(share, LEAVING_OUT), signal };
  const measured = await attributionsOf(model, vanilla, scored, options, watching);
  const entries = questions.map(({ kind, words, vanilla }, i): AttributedWords & { kind: QuestionKind } => {
    const own = options.answers.map((answer, j) => [answer, measured[i * options.answers.length + j]!] as const);
    return { kind, words: [...words], vanilla, subject: Object.fromEntries(own) };
  });
  const of = (wanted: QuestionKind) =>
    entries.filter(({ kind }) => kind === wanted).map(({ kind: _, ...entry }) => entry);
  return { target: of("target"), unrelated: of("unrelated") };
}

/** The same after an epoch of training, for the answer whose key words are emphasised; `undefined` where it is not asked for. */
export async function attributionsAtEpoch(
  subject: Subject<Decoder>,
  options: UnpactOptions,
  watcher: Watcher,
): Promise<EpochAttributions | undefined> {
  if (!options.everyEpoch) return undefined;
  const part = await vanillaPart(subject, options, watcher);
  const answer = keyAnswerOf({ options });
  const { target, unrelated } = await subjectAttributions(subject, part, { ...options, answers: [answer] }, watcher);
  const own = (words: AttributedWords) => attributionOf(words, "subject", answer);
  return { target: target.map(own), unrelated: unrelated.map(own) };
}
