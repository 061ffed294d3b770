import { type Decoder, textOf } from "@lethe/decoder";
import { drawAnswers, keyTokens, tokenGroups } from "@lethe/unlearn";
import type { Subject, Watcher } from "../../subjects/subject.ts";
import type { StudySubject } from "../study.ts";
import { ask, isRightAnswer } from "./measure/asking.ts";
import { emphasised } from "./measure/prompts.ts";
import { ASKING_AGAIN, COLLAPSE, DRAWING } from "./measure/stages.ts";
import { subjectAttributions } from "./measure/subject-attributions.ts";
import { type AttributedQuestion, type VanillaPart, vanillaPart, type Watch } from "./measure/vanilla.ts";
import type { UnpactOptions } from "./options.ts";
import type { CollapsedGroup, EpochAttributions, JudgedQuestion, UnpactResult } from "./schema.ts";
import { attributionOf, keyAnswerOf, type QuestionKind } from "./scores.ts";

/** About which shares of the work the stages take. Only the progress depends on them. */
const SHARES = { vanilla: 0.3, leavingOut: 0.25, asking: 0.25, drawing: 0.15, collapse: 0.05 };

/** Leaves the words of prompts out one by one in both models, asks the subject again with key words emphasised, and draws answers. */
export async function measureUnpact(
  subject: StudySubject<Decoder>,
  options: UnpactOptions,
  watcher: Watcher,
): Promise<UnpactResult> {
  const { signal } = watcher;
  let from = 0;
  const watch = (length: number): Watch => {
    const start = from;
    from += length;
    return { progress: (share, stage) => watcher.progress(start + length * share, stage), signal };
  };
  const part = await vanillaPart(subject, options, watch(SHARES.vanilla));
  const judged = judgedQuestions(subject);
  const attributed = await subjectAttributions(subject, part, options, watch(SHARES.leavingOut));
  const forgotten = part.attributed.target.flatMap((question, place) => {
    const { before, after } = judged.target[place]!;
    return before && !after ? [{ ...question, place }] : [];
  });
  const again = await askedAgain(subject, part, forgotten, options, watch(SHARES.asking));
  const drawn = await drawnRight(subject, forgotten, options, watch(SHARES.drawing));
  const right = part.attributed.target.map((_, place) => drawn.get(place) ?? null);
  return {
    judged,
    attributed,
    epochs: subject.epochs as EpochAttributions[],
    compared: part.compared,
    ...again,
    drawn: { samples: options.samples, right },
    collapse: await collapsed(subject, part, watch(SHARES.collapse)),
  };
}

/** A question that the vanilla model answered right and the subject wrong, and its place among those that are attributed. */
type Forgotten = AttributedQuestion & { readonly place: number };

/** Judges the answers of both models to all compared questions. */
function judgedQuestions({ known, answers, evaluation }: Subject<Decoder>): UnpactResult["judged"] {
  const of = (kind: QuestionKind) =>
    known[kind].map((answer, place): JudgedQuestion => {
      const { question, expected, text } = answer;
      const before = isRightAnswer(evaluation, answer, text);
      const after = isRightAnswer(evaluation, answer, answers[kind][place]!.text);
      return { question, expected: expected !== null, before, after };
    });
  return { target: of("target"), unrelated: of("unrelated") };
}

/** Asks the subject its forgotten questions again, in every way, and by the first template with the key words of other rules. */
async function askedAgain(
  subject: Subject<Decoder>,
  { ways, attributed: { target } }: VanillaPart,
  forgotten: readonly Forgotten[],
  options: UnpactOptions,
  { progress, signal }: Watch,
): Promise<Pick<UnpactResult, "elicited" | "swept" | "examples">> {
  const { evaluation } = subject;
  const byWay = ways.flatMap(({ apply }, way) =>
    forgotten.flatMap((question) => {
      const put = apply(question);
      return put === null ? [] : [{ question, way, put }];
    }),
  );
  const template = options.templates[0]!;
  const sets = target.map((question) => sweptSets(question, options));
  const bySet = forgotten.flatMap((question) =>
    sets[question.place]!.flatMap((words) => {
      const put = emphasised(template, question, words);
      return put === null ? [] : [{ question, words, put }];
    }),
  );
  const all = [...byWay, ...bySet].map(({ put }) => put);
  progress(0, ASKING_AGAIN);
  const answers = await ask(subject.model, subject, all, { onToken: () => progress(0.5, ASKING_AGAIN), signal });
  const isRight = ({ question, put }: { readonly question: Forgotten; readonly put: string }) =>
    isRightAnswer(evaluation, question.known, answers.get(put)!);
  const examples = byWay.filter(({ question }) => forgotten.indexOf(question) < evaluation.examples);
  return {
    elicited: ways.map(({ prompt, right }, way) => ({
      ...prompt,
      vanilla: [...right],
      subject: target.map((_, place) => {
        const asked = byWay.find((one) => one.way === way && one.question.place === place);
        return asked ? isRight(asked) : null;
      }),
    })),
    swept: target.map((_, place) =>
      bySet
        .filter(({ question }) => question.place === place)
        .map((one) => ({ words: [...one.words], right: isRight(one) })),
    ),
    examples: examples.map((one) => ({
      ...ways[one.way]!.prompt,
      asked: one.put,
      answer: answers.get(one.put)!,
      right: isRight(one),
    })),
  };
}

/** The different sets of key words that the sweep's α and β give, the study's own among them; none where nothing is swept. */
function sweptSets({ vanilla, words }: AttributedQuestion, options: UnpactOptions): number[][] {
  const { sweep, normalise } = options;
  if (sweep.alpha.length + sweep.beta.length === 0) return [];
  const measured = attributionOf({ words: [...words], vanilla, subject: {} }, "vanilla", keyAnswerOf({ options }));
  if (!measured) return [];
  const sets = [options.beta, ...sweep.beta].flatMap((beta) =>
    [options.alpha, ...sweep.alpha].map((alpha) => keyTokens(measured.contributions, { alpha, beta, normalise })),
  );
  return [...new Map(sets.map((set) => [set.join(), set])).values()];
}

/** How many drawn answers to each forgotten question are right, by its place. */
async function drawnRight(
  { vanilla, model, evaluation }: Subject<Decoder>,
  forgotten: readonly Forgotten[],
  { samples, seed }: UnpactOptions,
  { progress, signal }: Watch,
): Promise<Map<number, number>> {
  if (samples === 0 || forgotten.length === 0) return new Map();
  progress(0, DRAWING);
  const drawn = await drawAnswers(
    model,
    forgotten.map(({ question }) => question),
    {
      samples,
      seed,
      maxTokens: evaluation.maxAnswerTokens,
      prompt: evaluation.prompt,
      tokenizer: await textOf(vanilla),
      onToken: () => progress(0.5, DRAWING),
      signal,
    },
  );
  return new Map(
    forgotten.map(({ place, known }, i) => {
      return [place, drawn[i]!.filter(({ text }) => isRightAnswer(evaluation, known, text)).length];
    }),
  );
}

async function collapsed(
  { model }: Subject<Decoder>,
  { texts, groups }: VanillaPart,
  { progress, signal }: Watch,
): Promise<UnpactResult["collapse"]> {
  progress(0, COLLAPSE);
  const of = async (kind: QuestionKind) => {
    const own = await tokenGroups(model, texts[kind], { signal });
    return groups[kind].flatMap(({ class: of, from, to, count, ...vanilla }, i): CollapsedGroup[] => {
      const { logProb, probability } = own[i]!;
      return count === 0 ? [] : [{ class: of, from, to, count, vanilla, subject: { logProb, probability } }];
    });
  };
  return { target: await of("target"), unrelated: await of("unrelated") };
}
