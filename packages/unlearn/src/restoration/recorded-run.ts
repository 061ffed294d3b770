import type { Decoder, StreamedModel, Watch } from "@lethe/decoder";
import { Captures, Hooks, type Site, sites, type TensorSource } from "@lethe/hooks";
import type { F32 } from "@lethe/tensor";
import type { QuestionBatch } from "./questions.ts";

/** A model's run on a set of questions. As a source for hooks it gives recorded activations of every layer, and the model's value vectors. */
export interface RecordedRun extends TensorSource, Disposable {
  /** Logits on the answer rows, `[R, V]`. */
  readonly logits: F32;
}

type Asked = Pick<QuestionBatch, "batch" | "rows">;

/** Runs a model on questions and records what passes the given sites, and the logits of the rows. The caller disposes of the run. */
export function recordRun(
  model: Decoder,
  { batch, rows }: Asked,
  recorded: readonly Site[],
  label: string,
): RecordedRun {
  const captures = new Captures(label);
  // The model itself has its parameters.
  const activations = recorded.filter((site) => !sites[site].parameter);
  const hooks = [...new Set(activations)].reduce((list, site) => list.capture(site, captures), new Hooks());
  using _ = model.device.scope(label);
  const logits = model.forward(batch, { hooks, rows }).retain();
  return runOf(captures, logits, model);
}

/**
 * As {@link recordRun}, with a model that is streamed: parameters among the sites are kept too, in the dtype that they have on disk.
 * @param layers that are recorded
 */
export async function recordStreamedRun(
  model: StreamedModel,
  { batch, rows }: Asked,
  {
    recorded,
    layers,
    label,
    ...watch
  }: Watch & {
    readonly recorded: readonly Site[];
    readonly layers: readonly number[];
    readonly label: string;
  },
): Promise<RecordedRun> {
  const captures = new Captures(label);
  const hooks = [...new Set(recorded)].reduce((list, site) => list.capture(site, captures, { layers }), new Hooks());
  try {
    return runOf(captures, await model.forward(batch, { hooks, rows, ...watch }));
  } catch (error) {
    captures.dispose();
    throw error;
  }
}

/** A run of what was recorded. @param model gives what is not recorded */
function runOf(captures: Captures, logits: F32, model?: TensorSource): RecordedRun {
  return {
    label: captures.label,
    logits,
    tensorAt: (site, layer) => captures.tensorAt(site, layer) ?? model?.tensorAt(site, layer),
    heldAt: (site, layer) => captures.heldAt(site, layer),
    [Symbol.dispose]() {
      captures.dispose();
      logits.dispose();
    },
  };
}
