export { type Answer, type AnswerOptions, answerQuestions } from "./answers.ts";
