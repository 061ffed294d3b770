export { type Answer, type AnswerOptions, answerQuestions, exactShare } from "./answers.ts";
