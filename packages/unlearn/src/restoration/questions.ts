import { type Batch, batchOf, fewLengths } from "@lethe/decoder";
import { Device, type Tensor } from "@lethe/tensor";
import { checked, checkerOf, instanceOf, listOf, numbers, oneOf, options } from "@lethe/tensor/checked";
import { tokens } from "../kinds.ts";
import { ALIGNMENTS, type Alignment, answerRows } from "../metrics/alignment.ts";

/** A prompt and the vanilla model's answer to it, in tokens. */
export interface AnsweredQuestion {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
}

/** Answered questions as one teacher-forced, left-padded batch, with the logit rows at which models are compared. */
export interface QuestionBatch extends Disposable {
  readonly batch: Batch;
  /** Rows of the pass whose logits one of the alignments needs, `[R]`, question after question. */
  readonly rows: Tensor<readonly [number], "u32">;
  /** The batch `times` over, its sequences, then all of them again, and the answer rows of all. They belong to this object. */
  repeated(times: number): Pick<QuestionBatch, "batch" | "rows">;
  /** For each question the mean of values over its answer rows. `values` has one value for each of `rows`. */
  perQuestion(values: ArrayLike<number>, alignment: Alignment): number[];
}

const checkPerQuestion = checkerOf("perQuestion", { values: numbers, alignment: oneOf(ALIGNMENTS) });

/** Answered questions as a batch for comparison. The caller disposes of it. @function */
export const questionBatch = checked(
  "questionBatch",
  { device: instanceOf(Device), questions: listOf(options({ prompt: tokens, answer: tokens })) },
  (device: Device, questions: readonly AnsweredQuestion[]): QuestionBatch => {
    const lengths = questions.map(({ prompt, answer }) => ({ prompt: prompt.length, answer: answer.length }));
    const positions = fewLengths(Math.max(...lengths.map(({ prompt, answer }) => prompt + answer)));
    const aligned = {
      paper: answerRows(lengths, positions, "paper"),
      released: answerRows(lengths, positions, "released"),
    };
    const wanted = questions.flatMap((_, question) =>
      [...new Set([...aligned.paper[question]!, ...aligned.released[question]!])].map(
        (position) => question * positions + position,
      ),
    );
    const place = new Map(wanted.map((row, i) => [row, i]));
    const padTo = () => positions;
    const sequences = questions.map(({ prompt, answer }) => [...prompt, ...answer]);
    const batch = batchOf(device, sequences, { padTo });
    const rows = device.tensor(wanted, [wanted.length], "u32", "answer rows");
    const batches = new Map<number, Pick<QuestionBatch, "batch" | "rows">>([[1, { batch, rows }]]);
    return {
      batch,
      rows,
      repeated(times) {
        const known = batches.get(times);
        if (known) return known;
        using _ = device.scope("repeated questions");
        const made = batchOf(device, Array(times).fill(sequences).flat(), { padTo });
        const all = Array.from({ length: times }, (_, i) => wanted.map((row) => row + i * batch.ids.size)).flat();
        // They outlive the scope in which a pass first asked for them.
        const [ids, positions, starts] = [made.ids.retain(), made.positions.retain(), made.starts.retain()];
        const dispose = () => {
          for (const tensor of [ids, positions, starts]) tensor.dispose();
        };
        const kept = {
          batch: { ...made, ids, positions, starts, dispose, [Symbol.dispose]: dispose },
          rows: device.tensor(all, [all.length], "u32", "answer rows").retain(),
        };
        batches.set(times, kept);
        return kept;
      },
      perQuestion(values, alignment) {
        checkPerQuestion([values, alignment]);
        return aligned[alignment].map((own, question) => {
          const sum = own.reduce((total, position) => total + values[place.get(question * positions + position)!]!, 0);
          return sum / own.length;
        });
      },
      [Symbol.dispose]() {
        for (const { batch, rows } of batches.values()) {
          batch.dispose();
          rows.dispose();
        }
      },
    };
  },
);
