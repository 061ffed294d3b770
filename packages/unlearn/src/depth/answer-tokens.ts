import { Device, LetheError, type Tensor } from "@lethe/tensor";
import { checked, instanceOf, listOf, optional, options, wholeNumbers } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";
import { type AnsweredQuestion, type QuestionBatch, questionBatch } from "../restoration/questions.ts";

/** An answered question, and those tokens of its answer whose log-probability is measured. */
export interface TokenQuestion extends AnsweredQuestion {
  /** Their places in the answer from 0, in ascending order. Default: every token of the answer. */
  readonly measured?: readonly number[];
}

/** Answered questions as one teacher-forced batch, with the rows that predict the measured tokens. */
export interface AnswerTokens extends Disposable {
  readonly questions: QuestionBatch;
  /** Rows of the pass that predict the tokens, `[R]`, question after question. Row r predicts the token at r + 1. */
  readonly rows: Tensor<readonly [number], "u32">;
  /** The same rows, on the host. */
  readonly places: readonly number[];
  /** The token that each row has to predict. */
  readonly labels: readonly number[];
  /** How many tokens each question has. */
  readonly counts: readonly number[];
  /** For each question the mean of values over its tokens. `values` has one value for each of `rows`. */
  perQuestion(values: ArrayLike<number>): number[];
}

/**
 * Lays out answered questions for measurements of single answer tokens. The caller disposes of it.
 * @throws {LetheError} when a question has no measured token, or one that its answer lacks
 * @function
 */
export const answerTokens = checked(
  "answerTokens",
  {
    device: instanceOf(Device),
    questions: listOf(options({ prompt: tokens, answer: tokens, measured: optional(wholeNumbers) })),
  },
  (device: Device, questions: readonly TokenQuestion[]): AnswerTokens => {
    const chosen = questions.map(({ answer, measured }) => measured ?? [...answer.keys()]);
    for (const [question, places] of chosen.entries()) {
      const { length } = questions[question]!.answer;
      if (places.length === 0 || places.some((place, i) => place >= length || place <= (places[i - 1] ?? -1)))
        throw new LetheError(
          `question ${question}: the measured tokens are [${places}]; expected ascending places in its answer of ${length} tokens`,
        );
    }
    const laid = questionBatch(
      device,
      questions.map(({ prompt, answer }) => ({ prompt, answer })),
    );
    const places = chosen.flatMap((own, question) =>
      own.map((place) => laid.batch.row(question, questions[question]!.prompt.length + place - 1)),
    );
    const rows = device.tensor(places, [places.length], "u32", "rows of answer tokens");
    return {
      questions: laid,
      rows,
      places,
      labels: chosen.flatMap((own, question) => own.map((place) => questions[question]!.answer[place]!)),
      counts: chosen.map(({ length }) => length),
      perQuestion(values) {
        let at = 0;
        return chosen.map(({ length }) => {
          let sum = 0;
          for (let i = 0; i < length; i++) sum += values[at++]!;
          return sum / length;
        });
      },
      [Symbol.dispose]() {
        laid[Symbol.dispose]();
        rows.dispose();
      },
    };
  },
);
