import { type Decoder, type Text, textOf } from "@lethe/decoder";
import {
  type AskedPrompt,
  attentionMass,
  type ClassedText,
  classedText,
  gradientTimesInput,
  integratedGradients,
  keyTokens,
  promptOf,
  promptTokens,
  promptWords,
  type TokenGroup,
  tokenGroups,
} from "@lethe/unlearn";
import type { Evaluation, KnownAnswer, Subject } from "../../../subjects/subject.ts";
import type { OtherAttribution, UnpactOptions } from "../options.ts";
import type { MeasuredAttribution, UnpactResult } from "../schema.ts";
import { QUESTION_KINDS, type QuestionKind } from "../scores.ts";
import { ask, isRightAnswer } from "./asking.ts";
import { attributionsOf } from "./attributions.ts";
import { type AskingAgain, type PlainQuestion, waysToAsk } from "./prompts.ts";
import { ASKING_AGAIN, COLLAPSE, COMPARING, LEAVING_OUT } from "./stages.ts";

/** Two lists: of the questions about the concept, and of those about other things. */
export type ByKind<T> = Readonly<Record<QuestionKind, readonly T[]>>;

/** A question whose words are left out. */
export interface AttributedQuestion extends PlainQuestion {
  readonly known: KnownAnswer;
  readonly asked: AskedPrompt;
  /** Tokens of the data's own answer; none where it is not scored, or the data have none. */
  readonly expected: readonly number[];
  readonly vanilla: Partial<Record<"vanilla" | "expected", MeasuredAttribution | null>>;
}

/** All that depends on the vanilla model alone. */
export interface VanillaPart {
  readonly attributed: ByKind<AttributedQuestion>;
  readonly compared: UnpactResult["compared"];
  /** The ways to ask again, and whether the vanilla model's answers are right then, for each attributed target question. */
  readonly ways: readonly (AskingAgain & { readonly right: readonly (boolean | null)[] })[];
  /** Its answers to all compared questions, as texts with classes of tokens. */
  readonly texts: ByKind<ClassedText>;
  readonly groups: ByKind<TokenGroup>;
}

/** How the work is watched. */
export interface Watch {
  readonly progress: (share: number, stage: string) => void;
  readonly signal: AbortSignal;
}

/** Measures the vanilla model once for all subjects that are compared on the same answers. */
export async function vanillaPart(
  subject: Subject<Decoder>,
  options: UnpactOptions,
  watch: Watch,
): Promise<VanillaPart> {
  const kept: { part?: VanillaPart } & Disposable = subject.known.keep(`unpact ${JSON.stringify(options)}`, () => ({
    [Symbol.dispose]() {},
  }));
  kept.part ??= await measureVanilla(subject, options, watch);
  return kept.part;
}

async function measureVanilla(subject: Subject<Decoder>, options: UnpactOptions, watch: Watch): Promise<VanillaPart> {
  const { vanilla, known, evaluation } = subject;
  const tokenizer = await textOf(vanilla);
  const promptsOf = (kind: QuestionKind) =>
    Promise.all(known[kind].map(({ question }) => promptWords(tokenizer, question, evaluation.prompt)));
  const prompts = { target: await promptsOf("target"), unrelated: await promptsOf("unrelated") };
  const attributed = await attributedQuestions(subject, prompts, options, {
    ...watch,
    progress: (share, stage) => watch.progress(0.4 * share, stage),
  });
  watch.progress(0.4, COMPARING);
  const compared = await comparedAttributions(subject, attributed.target, options, watch.signal);
  watch.progress(0.6, ASKING_AGAIN);
  const ways = waysToAsk(options, subject);
  const right = await askAgain(subject, ways, attributed.target, watch.signal);
  watch.progress(0.9, COLLAPSE);
  const textsOf = (kind: QuestionKind) =>
    Promise.all(known[kind].map(({ tokens }, place) => classedText(tokenizer, prompts[kind][place]!, tokens)));
  const texts = { target: await textsOf("target"), unrelated: await textsOf("unrelated") };
  const { signal } = watch;
  return {
    attributed,
    compared,
    ways: ways.map((way, i) => ({ ...way, right: right[i]! })),
    texts,
    groups: {
      target: await tokenGroups(vanilla, texts.target, { signal }),
      unrelated: await tokenGroups(vanilla, texts.unrelated, { signal }),
    },
  };
}

async function attributedQuestions(
  { vanilla, known, evaluation }: Subject<Decoder>,
  prompts: ByKind<AskedPrompt>,
  options: UnpactOptions,
  { progress, signal }: Watch,
): Promise<ByKind<AttributedQuestion>> {
  const { answers, alpha, beta, normalise, targetQuestions, otherQuestions } = options;
  const tokenizer = await textOf(vanilla);
  const counts = { target: targetQuestions, unrelated: otherQuestions };
  const wanted = answers.includes("expected");
  const chosen = await Promise.all(
    QUESTION_KINDS.flatMap((kind) =>
      known[kind].slice(0, counts[kind]).map(async (answer, place) => {
        const expected = wanted ? await expectedTokens(tokenizer, answer, evaluation) : [];
        return { kind, known: answer, asked: prompts[kind][place]!, expected };
      }),
    ),
  );
  const scored = [
    ...chosen.map(({ asked, known }) => ({ asked, answer: known.tokens })),
    ...chosen.map(({ asked, expected }) => ({ asked, answer: expected })),
  ];
  const watching = { progress: (share: number) => progress(share, LEAVING_OUT), signal };
  const measured = await attributionsOf(vanilla, vanilla, scored, options, watching);
  const questions = chosen.map(({ kind, ...question }, i) => {
    const [own, expected] = [measured[i]!, measured[chosen.length + i]!];
    const scoredBy = answers[0] === "expected" ? expected : own;
    return {
      kind,
      ...question,
      question: question.known.question,
      words: question.asked.words.map(({ text }) => text),
      key: scoredBy ? keyTokens(scoredBy.contributions, { alpha, beta, normalise }) : [],
      // Other attributions are compared with this one, so it is there whatever is scored besides.
      vanilla: { vanilla: own, ...(wanted && { expected }) },
    };
  });
  return {
    target: questions.filter(({ kind }) => kind === "target"),
    unrelated: questions.filter(({ kind }) => kind === "unrelated"),
  };
}

/** Tokens of the data's own answer, as it goes on from the prompt; none where the data have none. */
async function expectedTokens(
  tokenizer: Text,
  { question, prompt, expected }: KnownAnswer,
  { prompt: form }: Evaluation,
) {
  if (expected === null) return [];
  if (form === "chat") return tokenizer.encode(expected, { special: false });
  const text = form === "qa" ? promptOf("{question}") : form;
  return (await promptTokens(tokenizer, question, `${text} ${expected}`)).slice(prompt.length);
}

async function comparedAttributions(
  { vanilla }: Subject<Decoder>,
  target: readonly AttributedQuestion[],
  { compare }: UnpactOptions,
  signal: AbortSignal,
): Promise<UnpactResult["compared"]> {
  const questions = target.slice(0, compare.questions).map(({ asked, known }) => ({ asked, answer: known.tokens }));
  const compared: UnpactResult["compared"] = [];
  for (const attribution of compare.attributions)
    compared.push({ attribution, scores: await SCORES[attribution](vanilla, questions, { signal }) });
  return compared;
}

const SCORES = {
  "gradient-times-input": gradientTimesInput,
  "integrated-gradients": integratedGradients,
  "attention-mass": attentionMass,
} satisfies Record<OtherAttribution, unknown>;

/** Asks the vanilla model again what it answers right. @returns for each way and question whether the answer is right, null where it is not asked */
async function askAgain(
  subject: Subject<Decoder>,
  ways: readonly AskingAgain[],
  questions: readonly AttributedQuestion[],
  signal: AbortSignal,
): Promise<(boolean | null)[][]> {
  const { vanilla, evaluation } = subject;
  const asked = ways.flatMap(({ apply }, way) =>
    questions.flatMap(({ known, ...question }, place) => {
      const put = isRightAnswer(evaluation, known, known.text) ? apply(question) : null;
      return put === null ? [] : [{ way, place, put }];
    }),
  );
  const answers = await ask(
    vanilla,
    subject,
    asked.map(({ put }) => put),
    { signal },
  );
  const right = ways.map(() => questions.map((): boolean | null => null));
  for (const { way, place, put } of asked)
    right[way]![place] = isRightAnswer(evaluation, questions[place]!.known, answers.get(put)!);
  return right;
}
