export { ALIGNMENTS, type Alignment, answerRows, type QuestionLengths } from "./alignment.ts";
export { type Answer, type AnswerOptions, answerQuestions, exactShare } from "./answers.ts";
export { answerBleu, sentenceBleu, splitWords } from "./bleu.ts";
export { type Krs, krs } from "./krs.ts";
export { MetricError } from "./metric-error.ts";
