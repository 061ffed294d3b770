import { ops } from "@lethe/tensor";
import { AdamW, labelledBatch, selectTrainable, Tape } from "@lethe/unlearn";
import type { BenchCase } from "../../case.ts";
import { flopsPerToken, type Subject, sequences } from "./subjects.ts";

/** Forward, backward and an update of every parameter, without reading anything back. */
export function trainingCase(subject: Subject, { batch, length }: { batch: number; length: number }): BenchCase {
  const tokens = batch * length;
  return {
    name: "pass training step",
    shape: `${subject.name}, B${batch} T${length}`,
    flops: 3 * tokens * flopsPerToken(subject),
    items: { count: tokens, unit: "tokens" },
    async prepare(device) {
      const model = await subject.open(device);
      const examples = labelledBatch(device, sequences(subject, batch, length));
      const settings = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 };
      const optimiser = new AdamW(selectTrainable(model.weights), settings);
      const tape = new Tape(ops);
      tape.watch(optimiser.trainables.map(({ parameter }) => parameter));
      const step = () => {
        const loss = device.scoped("forward", () =>
          model.losses(examples, examples.labels, { ops: tape.ops, reduction: "mean" }),
        );
        const places = optimiser.gradientPlaces();
        optimiser.update(tape.backward(loss, { places }), 1e-3);
        for (const place of places.values()) place.dispose();
        return loss;
      };
      return {
        run: step,
        async check() {
          const losses: number[] = [];
          for (let i = 0; i < 4; i++) {
            using _ = device.scope("check");
            losses.push(await step().item());
          }
          if (!losses.every((loss, i) => i === 0 || loss < losses[i - 1]!))
            throw new Error(
              `pass training step: on the same examples again and again, the loss goes ${losses.join(", ")}`,
            );
        },
        dispose() {
          tape[Symbol.dispose]();
          optimiser[Symbol.dispose]();
          model.dispose();
        },
      };
    },
  };
}
