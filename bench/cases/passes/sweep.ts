import type { Llama } from "@lethe/llama";
import { addInto, type Shape, type Tensor } from "@lethe/tensor";
import {
  figure1,
  type QuestionBatch,
  questionBatch,
  type RestorationLosses,
  runVanilla,
  sweepRestoration,
  windowAround,
} from "@lethe/unlearn";
import type { BenchCase } from "../../case.ts";
import { normal } from "../../inputs.ts";
import { productParameters, type Subject, sequences } from "./subjects.ts";

interface Questions {
  readonly questions: number;
  /** Tokens of prompt and answer together, and of the answer. */
  readonly length: number;
  readonly answer: number;
}

const radius = 2;

/** The restoration sweep of the paper's Figure 1: four settings around every layer, each window one pass from its first layer on. */
export function sweepCase(subject: Subject, { questions, length, answer }: Questions): BenchCase {
  const { layers, layer, unembedding } = productParameters(subject);
  const layersRun = Array.from({ length: layers }, (_, centre) => layers - windowAround(centre, radius, layers)[0]!);
  const rows = questions * (answer + 1);
  const perSetting = layersRun.reduce((sum, count) => sum + questions * length * count * layer + rows * unembedding, 0);
  return {
    name: "pass sweep",
    shape: `${subject.name}, B${questions} T${length}`,
    flops: 2 * figure1.length * perSetting,
    items: { count: figure1.length * layers, unit: "windows" },
    async prepare(device) {
      const [vanilla, unlearned] = [await subject.open(device), await subject.open(device)];
      damage(unlearned);
      const asked = sequences(subject, questions, length).map((tokens) => ({
        prompt: tokens.slice(0, -answer),
        answer: tokens.slice(-answer),
      }));
      const batch = questionBatch(device, asked);
      const run = runVanilla(vanilla, batch, figure1);
      const sweep = () => sweepRestoration({ unlearned, questions: batch, run, radius, settings: figure1 });
      return {
        run: sweep,
        check: async () => checkBase(vanilla, unlearned, batch, await sweep()),
        dispose() {
          for (const owned of [run, batch, vanilla, unlearned]) owned[Symbol.dispose]();
        },
      };
    },
  };
}

/** Takes the place of unlearning: noise on the value vectors, a tenth of the deviation of a fresh weight. */
function damage(model: Llama): void {
  using _ = model.device.scope("damage");
  for (const [name, weight] of model.weights)
    if (name.includes("down_proj")) addInto(weight as Tensor<Shape, "f32">, normal(model.device, weight.shape, 2e-3));
}

/** The loss before restoration, computed on the host from both models’ logits at every position. */
async function checkBase(
  vanilla: Llama,
  unlearned: Llama,
  questions: QuestionBatch,
  { base, restored }: RestorationLosses<string>,
): Promise<void> {
  using _ = vanilla.device.scope("check");
  const { batch, rows } = questions;
  const [x, y, wanted] = await Promise.all([
    vanilla.forward(batch).read(),
    unlearned.forward(batch).read(),
    rows.read(),
  ]);
  const vocabulary = vanilla.config.vocab_size;
  const perRow = Array.from(wanted, (row) => {
    let sum = 0;
    for (let i = row * vocabulary; i < (row + 1) * vocabulary; i++) sum += (x[i]! - y[i]!) ** 2;
    return sum / vocabulary;
  });
  const expected = questions.perQuestion(perRow, "paper");
  if (!base.paper.every((loss, i) => Math.abs(loss - expected[i]!) <= 1e-3 * expected[i]!))
    throw new Error(`pass sweep: losses before restoration are ${base.paper}, expected ${expected}`);
  if (!Object.values(restored).every(({ paper }) => paper.flat().every(Number.isFinite)))
    throw new Error("pass sweep: a restored loss is not finite");
}
