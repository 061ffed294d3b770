import type { Decoder } from "@lethe/decoder";
import { type Answer, answerBleu, answerQuestions, exactShare } from "@lethe/unlearn";
import { ExperimentError } from "../errors.ts";
import { Meter } from "./meter.ts";
import type { Answers, AnswersRecord, CommonConfig, KnownAnswers, Sources, Watcher } from "./subject.ts";

/** The share of exact answers from which a vanilla model counts as knowing its questions. */
export const KNOWN_FROM = 0.98;

/** Questions that are answered in one batch. */
const ANSWERED_TOGETHER = 64;

/** A cell as far as its questions go. */
type Asked = { readonly config: CommonConfig<unknown>; readonly sources: Sources };

/** Asks a model a cell's questions, as many as its evaluation wants, all in one batch. */
export async function askQuestions(
  model: Decoder,
  { config, sources: { concept } }: Asked,
  { onToken, signal }: { readonly onToken: (tokensPerSecond: number) => void; readonly signal: AbortSignal },
): Promise<Answers> {
  const { targetQuestions, unrelatedQuestions, maxAnswerTokens: maxTokens } = config.evaluation;
  const target = concept.questions.slice(0, targetQuestions);
  const unrelated = concept.unrelated.slice(0, unrelatedQuestions);
  const questions = [...target, ...unrelated];
  const meter = new Meter();
  const answers = await answerQuestions(model, questions, {
    maxTokens,
    onToken: () => onToken(meter.add(Math.min(questions.length, ANSWERED_TOGETHER))),
    batchSize: ANSWERED_TOGETHER,
    signal,
  });
  return { target: answers.slice(0, target.length), unrelated: answers.slice(target.length) };
}

/**
 * Asks the vanilla model. Remarks on it when it seems not to know its answers. The caller disposes of the answers, and so of what
 * studies keep with them.
 * @throws ExperimentError when the model gives an empty answer to a question about the concept
 */
export async function askVanilla(vanilla: Decoder, asked: Asked, watcher: Watcher): Promise<KnownAnswers & Disposable> {
  const onToken = (tokensPerSecond: number) => watcher.progress(0, "asking the vanilla model", { tokensPerSecond });
  const answers = await askQuestions(vanilla, asked, { onToken, signal: watcher.signal });
  const silent = answers.target.find(({ tokens }) => tokens.length === 0);
  if (silent)
    throw new ExperimentError(
      `${asked.config.model.name} ends its text at once when it is asked "${silent.question}", so there is no answer to compare. ` +
        "Is this a model that was trained to answer `Question: … Answer:` prompts?",
    );
  const expected = expectedAnswers(asked.sources);
  const exactOf = (kind: keyof Answers) => (expected[kind] ? exactShare(answers[kind], expected[kind]) : null);
  const exact = { targetExact: exactOf("target"), unrelatedExact: exactOf("unrelated") };
  const unknown = Object.entries({ target: exact.targetExact, unrelated: exact.unrelatedExact })
    .filter(([, share]) => (share ?? 1) < KNOWN_FROM)
    .map(([kind, share]) => `${Math.round(share! * 100)}% of the ${kind} questions`);
  if (unknown.length > 0)
    watcher.remark(
      `before unlearning, ${asked.config.model.name} gives exactly the data's answer to ${unknown.join(" and ")}; ` +
        "what it does not know it cannot forget.",
    );
  const kept = new Map<string, Disposable>();
  return {
    ...answers,
    exact,
    keep<T extends Disposable>(key: string, make: () => T): T {
      if (!kept.has(key)) kept.set(key, make());
      return kept.get(key) as T;
    },
    [Symbol.dispose]() {
      for (const value of kept.values()) value[Symbol.dispose]();
    },
  };
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
  { config, sources }: Asked,
  known: KnownAnswers,
  measured: readonly Answers[],
): AnswersRecord {
  const expected = expectedAnswers(sources);
  const last = measured.at(-1)!;
  const bleu = [known, ...measured].map((answers) => bleuOf(known, answers));
  const examples = (kind: keyof Answers) =>
    known[kind].slice(0, config.evaluation.examples).map(({ question, text: before }, i) => ({
      question,
      expected: expected[kind]?.[i] ?? null,
      before,
      after: last[kind][i]!.text,
    }));
  return {
    vanilla: known.exact,
    bleu: { target: bleu.map(({ target }) => target), unrelated: bleu.map(({ unrelated }) => unrelated) },
    examples: { target: examples("target"), unrelated: examples("unrelated") },
  };
}

/** The data's own answers to a cell's questions; undefined where the data has none. */
function expectedAnswers({ concept }: Sources): { readonly [K in keyof Answers]?: readonly string[] | undefined } {
  return { target: concept.answers, unrelated: concept.unrelatedFacts?.map(({ answer }) => answer) };
}
