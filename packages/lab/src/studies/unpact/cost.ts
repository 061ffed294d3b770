import { generateTokens } from "@lethe/decoder";
import { attribute } from "@lethe/unlearn";
import { repeated } from "../layers.ts";
import { at, type Line, lineThrough } from "../line.ts";
import type { Rehearsal, StudyCost, StudySize } from "../study.ts";
import { ASKING_AGAIN, COLLAPSE, COMPARING, DRAWING, LEAVING_OUT } from "./measure/stages.ts";
import type { UnpactOptions } from "./options.ts";

/** What a rehearsal measured, in seconds. */
interface Rates {
  /** A token of a pass without a word, whether it is computed or was before. */
  readonly leavingOut: number;
  /** The pass over prompts, by their tokens. */
  readonly prompts: Line;
  /** A new token of every answer, by the number of answers. */
  readonly column: Line;
  /** New tokens of an answer at most. */
  readonly answerTokens: number;
}

/** Tokens of a prompt and its answer for each word of the question, roughly. */
const TOKENS_OF_WORD = 5;
/** Tokens of each word on a page, roughly. */
const TOKENS_ON_PAGE = 1.5;
/** Answers that are made together: see `answerQuestions`. */
const TOGETHER = 64;
/** Passes that a gradient is worth, and gradients of integrated gradients. */
const GRADIENT = 3;
const POINTS = 32;

/** A budget leaves at least so many. */
const LEAST = { compared: 1, samples: 4, others: 2, target: 5 };

/** What the study costs: the vanilla model's part, which a model's later cells do not have, is counted too. */
export const unpactCost: StudyCost<UnpactOptions, Rates> = {
  async rehearse(rehearsal) {
    return {
      ...(await timeAnswers(rehearsal)),
      leavingOut: await timeWords(rehearsal),
      answerTokens: rehearsal.answerTokens,
    };
  },
  seconds(rates, options, size) {
    const { target, attributed } = countsOf(options, size);
    const { templates, contexts, sweep, samples, compare, answers, everyEpoch, pageWords } = options;
    const words = size.tokens / TOKENS_OF_WORD;
    const prompt = size.tokens - rates.answerTokens;
    const scored = 1 + answers.length + (everyEpoch ? size.epochs - 1 : 0);
    const sets = sweep.alpha.length + sweep.beta.length > 0 ? (1 + sweep.alpha.length) * (1 + sweep.beta.length) : 0;
    const asking = (model: "vanilla" | "subject") =>
      secondsToAnswer(rates, target * (2 * templates.length + 1 + (model === "subject" ? sets : 0)), prompt) +
      secondsToAnswer(rates, target * 2 * contexts.length, prompt + TOKENS_ON_PAGE * pageWords);
    const passes = compare.attributions.reduce(
      (sum, name) =>
        sum +
        { "gradient-times-input": GRADIENT, "integrated-gradients": GRADIENT * POINTS, "attention-mass": 1 }[name],
      0,
    );
    const pass = (questions: number) => rates.prompts.each * questions * size.tokens;
    return {
      [LEAVING_OUT]: scored * attributed * (words + 1) * size.tokens * rates.leavingOut,
      [COMPARING]: pass(Math.min(compare.questions, target) * passes),
      [ASKING_AGAIN]: asking("vanilla") + asking("subject"),
      [DRAWING]: secondsToAnswer(rates, target * samples, prompt),
      [COLLAPSE]: pass(2 * (size.questions + options.otherQuestions)),
    };
  },
  shorter(options, size) {
    const { compare, samples, otherQuestions } = options;
    const { target } = countsOf(options, size);
    if (compare.questions > LEAST.compared)
      return { ...options, compare: { ...compare, questions: compare.questions - 1 } };
    if (samples > LEAST.samples) return { ...options, samples: samples - 1 };
    if (otherQuestions > LEAST.others) return { ...options, otherQuestions: otherQuestions - 1 };
    return target > LEAST.target ? { ...options, targetQuestions: target - 1 } : null;
  },
  describe: ({ targetQuestions, otherQuestions, samples }) =>
    `${targetQuestions} target and ${otherQuestions} other questions whose words are left out, with ${samples} drawn answers`,
};

function countsOf({ targetQuestions, otherQuestions }: UnpactOptions, { questions }: Pick<StudySize, "questions">) {
  const target = Math.min(targetQuestions, questions);
  return { target, attributed: target + otherQuestions };
}

/** To answer prompts of so many tokens, each answer at its longest. */
function secondsToAnswer({ prompts, column, answerTokens }: Rates, count: number, tokens: number): number {
  const batches = Array.from({ length: Math.ceil(count / TOGETHER) }, (_, i) =>
    Math.min(TOGETHER, count - i * TOGETHER),
  );
  return batches.reduce((sum, batch) => sum + at(prompts, batch * tokens) + (answerTokens - 1) * at(column, batch), 0);
}

/** Columns that are measured. */
const COLUMNS = 4;

/** Measures answers to one prompt and to all, twice each: the first time compiles. */
async function timeAnswers({ copy, prompts, signal }: Rehearsal): Promise<Pick<Rates, "prompts" | "column">> {
  const longest = Math.max(...prompts.map(({ length }) => length));
  const time = async (count: number) => {
    const even = prompts.slice(0, count).map((prompt) => repeated(prompt, longest));
    const times = [performance.now()];
    for await (const _ of generateTokens(copy, even, { maxNewTokens: 1 + COLUMNS, stop: [], signal }))
      times.push(performance.now());
    return { first: (times[1]! - times[0]!) / 1000, column: (times.at(-1)! - times[1]!) / 1000 / COLUMNS };
  };
  const measure = async (count: number) => {
    await time(count);
    return { count, ...(await time(count)) };
  };
  const [one, all] = [await measure(1), await measure(prompts.length)];
  return {
    prompts: lineThrough([longest, one.first], [prompts.length * longest, all.first]),
    column: lineThrough([1, one.column], [prompts.length, all.column]),
  };
}

/** Seconds for each token of the passes that leave the words of a few prompts out, of words of a few tokens. */
async function timeWords({ copy, prompts, answerTokens, signal }: Rehearsal): Promise<number> {
  const questions = prompts.slice(0, 2).map((tokens) => {
    const count = Math.max(1, Math.round((tokens.length + answerTokens) / TOKENS_OF_WORD));
    const length = Math.max(1, Math.floor(tokens.length / (count + 1)));
    const words = Array.from({ length: Math.min(count, tokens.length - 1) }, (_, i) => {
      return { text: "word", tokens: [...tokens.keys()].slice(i * length, (i + 1) * length) };
    }).filter((word) => word.tokens.length > 0);
    return { asked: { question: "", tokens, words }, answer: repeated(tokens, answerTokens) };
  });
  const total = questions.reduce(
    (sum, { asked, answer }) => sum + (asked.words.length + 1) * (asked.tokens.length + answer.length),
    0,
  );
  const time = async () => {
    const startedAt = performance.now();
    await attribute(copy, questions, { signal });
    return (performance.now() - startedAt) / 1000;
  };
  await time();
  return (await time()) / total;
}
