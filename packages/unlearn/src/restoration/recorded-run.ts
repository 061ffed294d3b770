import type { Decoder } from "@lethe/decoder";
import { Captures, Hooks, type Site, type TensorSource } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import type { QuestionBatch } from "./questions.ts";

/** A model's run on a set of questions. As a source for hooks it gives recorded activations of every layer, and the model's value vectors. */
export interface RecordedRun extends TensorSource, Disposable {
  /** Logits on the answer rows, `[R, V]`. */
  readonly logits: F32;
}

/** Runs a model on questions and records what passes the given sites, and the logits of the rows. The caller disposes of the run. */
export function recordRun(
  model: Decoder,
  { batch, rows }: Pick<QuestionBatch, "batch" | "rows">,
  recorded: readonly Site[],
  label: string,
): RecordedRun {
  const captures = new Captures(label);
  const hooks = [...new Set(recorded)].reduce((list, site) => list.capture(site, captures), new Hooks());
  using _ = model.device.scope(label);
  const logits = model.forward(batch, { hooks, rows }).retain();
  return {
    label,
    logits,
    tensorAt: (site, layer) => captures.tensorAt(site, layer) ?? model.tensorAt(site, layer),
    heldAt: (site, layer) => captures.heldAt(site, layer),
    [Symbol.dispose]() {
      captures.dispose();
      logits.dispose();
    },
  };
}
