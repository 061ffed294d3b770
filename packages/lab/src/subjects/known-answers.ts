import type { Decoder } from "@lethe/decoder";
import { type Answer, answerBleu, answerQuestions } from "@lethe/unlearn";
import { countsOf, describeAnswers, judgeAnswers, requireEnough } from "./compared.ts";
import { countTexts } from "./concept-texts.ts";
import type { LiveAnswer } from "./live.ts";
import { Meter } from "./meter.ts";
import type { Answers, AnswersRecord, CommonConfig, Evaluation, KnownAnswers, Sources, Watcher } from "./subject.ts";

/** Questions that are answered in one batch. */
const ANSWERED_TOGETHER = 64;

/** A cell as far as its questions go. */
type Asked = { readonly config: CommonConfig<unknown>; readonly sources: Sources };

/** Tokens of an answer to a question that the model may give, if there are any. They save time, and change no answer. */
type Guess = (question: string) => readonly number[] | undefined;

interface Hooks {
  readonly onToken: (tokensPerSecond: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Asks a model the questions that are compared, all in one batch, just as the vanilla model was asked: with its tokenizer, so that both
 * read the same tokens, also where a given checkpoint brings no chat template.
 * @param hooks `guesses`: answers of a model that is much like this one; default: the vanilla model's
 */
export function askQuestions(
  model: Decoder,
  known: KnownAnswers,
  {
    config,
    models: { vanilla },
  }: { readonly config: CommonConfig<unknown>; readonly models: { readonly vanilla: Pick<Decoder, "text"> } },
  { guesses = known, ...hooks }: Hooks & { readonly guesses?: Answers | undefined },
): Promise<Answers> {
  const questionsOf = (kind: keyof Answers) => known[kind].map(({ question }) => question);
  const questions = [questionsOf("target"), questionsOf("unrelated")] as const;
  const guessed = new Map([...guesses.target, ...guesses.unrelated].map(({ question, tokens }) => [question, tokens]));
  const guess: Guess = (question) => guessed.get(question);
  return ask(model, vanilla, questions, config.evaluation, { ...hooks, guess });
}

async function ask(
  model: Decoder,
  { text: tokenizer }: Pick<Decoder, "text">,
  [target, unrelated]: readonly [target: readonly string[], unrelated: readonly string[]],
  { prompt, maxAnswerTokens: maxTokens }: Evaluation,
  { guess, onToken, signal }: Hooks & { readonly guess: Guess },
): Promise<Answers> {
  const questions = [...target, ...unrelated];
  const meter = new Meter();
  const answers = await answerQuestions(model, questions, {
    maxTokens,
    prompt,
    ...(tokenizer && { tokenizer }),
    guesses: questions.map((question) => guess(question) ?? []),
    onToken: () => onToken(meter.add(Math.min(questions.length, ANSWERED_TOGETHER))),
    batchSize: ANSWERED_TOGETHER,
    signal,
  });
  return { target: answers.slice(0, target.length), unrelated: answers.slice(target.length) };
}

/** The stage in which the vanilla model answers. */
const ASKING = "asking the vanilla model";

/**
 * Asks the vanilla model as many questions as the evaluation wants, from the beginning of the data's lists; those that are left out are not
 * replaced. Remarks on its answers and on what is left out. The caller disposes of the answers, and so of what studies keep with them.
 * @param answered tokens of answers that it gave before, by question: most concepts share their unrelated questions. Its answers are added.
 * @throws ExperimentError when too few questions are left to compare
 */
export async function askVanilla(
  vanilla: Decoder,
  { config, sources: { concept } }: Asked,
  watcher: Watcher,
  answered: Map<string, readonly number[]>,
): Promise<KnownAnswers & Disposable> {
  const { evaluation } = config;
  const { targetQuestions, unrelatedQuestions } = evaluation;
  const questions = [
    concept.questions.slice(0, targetQuestions),
    concept.unrelated.slice(0, unrelatedQuestions),
  ] as const;
  watcher.progress(0, ASKING);
  const onToken = (tokensPerSecond: number) => watcher.progress(0, ASKING, { tokensPerSecond });
  const guess: Guess = (question) => answered.get(question);
  const answers = await ask(vanilla, vanilla, questions, evaluation, { guess, onToken, signal: watcher.signal });
  for (const { question, tokens } of [...answers.target, ...answers.unrelated]) answered.set(question, tokens);
  const expected = concept.unrelatedFacts?.map(({ answer }) => answer);
  const judged = {
    target: judgeAnswers(answers.target, concept.answers, evaluation),
    unrelated: judgeAnswers(answers.unrelated, expected, evaluation),
  };
  const counts = { target: countsOf(judged.target), unrelated: countsOf(judged.unrelated) };
  watcher.remark(describeAnswers(judged, counts, evaluation));
  requireEnough(counts, evaluation, { model: config.model.name, concept: concept.name });
  const compared = (kind: keyof Answers) => judged[kind].filter(({ leftOut }) => !leftOut).map(({ answer }) => answer);
  const [target, unrelated] = [compared("target"), compared("unrelated")];
  const kept = new Map<string, Disposable>();
  return {
    target,
    unrelated,
    counts,
    texts: countTexts(concept, config.seed),
    keep<T extends Disposable>(key: string, make: () => T): T {
      if (!kept.has(key)) kept.set(key, make());
      return kept.get(key) as T;
    },
    [Symbol.dispose]() {
      for (const value of kept.values()) value[Symbol.dispose]();
    },
  };
}

/** Answers as they are shown while a cell runs. */
export function liveAnswers({ target, unrelated }: Answers): { target: LiveAnswer[]; unrelated: LiveAnswer[] } {
  const shown = (answers: readonly Answer[]) => answers.map(({ question, text }) => ({ question, text }));
  return { target: shown(target), unrelated: shown(unrelated) };
}

/** Mean sentence BLEU of a model's answers against the vanilla model's, for each kind of question. */
export function bleuOf(known: Answers, { target, unrelated }: Answers): { target: number; unrelated: number } {
  return { target: meanBleu(known.target, target), unrelated: meanBleu(known.unrelated, unrelated) };
}

function meanBleu(known: readonly Answer[], answers: readonly Answer[]): number {
  const scores = known.map(({ text }, i) => answerBleu(text, answers[i]!.text));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Compares a subject's answers with the vanilla model's.
 * @param measured the answers after each epoch of training, or those of the finished subject alone
 */
export function recordAnswers(
  { evaluation }: CommonConfig<unknown>,
  known: KnownAnswers,
  measured: readonly Answers[],
): AnswersRecord {
  const last = measured.at(-1)!;
  const bleu = [known, ...measured].map((answers) => bleuOf(known, answers));
  const examples = (kind: keyof Answers) =>
    known[kind].slice(0, evaluation.examples).map(({ question, expected, text: before }, i) => {
      return { question, expected, before, after: last[kind][i]!.text };
    });
  return {
    texts: known.texts,
    vanilla: known.counts,
    bleu: { target: bleu.map(({ target }) => target), unrelated: bleu.map(({ unrelated }) => unrelated) },
    examples: { target: examples("target"), unrelated: examples("unrelated") },
  };
}
