import type { StepRecord } from "@lethe/autograd";
import type { Tensor } from "@lethe/tensor";

/** A training between two of its steps: all that it needs to go on, beside the vanilla model and the options that it was started with. */
export interface TrainingState {
  /** Steps done. */
  readonly steps: number;
  /** Steps of the whole training, unless the method stops it early. */
  readonly of: number;
  /** Records of the unfinished epoch's steps. Those of finished epochs were yielded. */
  readonly records: readonly StepRecord[];
  /** The trained weights and what the optimiser keeps, by name; see `Optimiser.state`. They are live: the next step changes them. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A {@link TrainingState} that was saved, to go on from. */
export interface SavedTraining extends Omit<TrainingState, "tensors"> {
  /** Writes what was saved into tensors of the same names and shapes, bit for bit. Called once, after the reference model has run. */
  restore(tensors: ReadonlyMap<string, Tensor>): Promise<void>;
}

/** Keeps a training's state while it runs. */
export interface Saving {
  /** Asked between two steps. Where it says yes, the steps in flight are finished and the state is saved. */
  due(): boolean;
  /** Saves the state. The training goes on when this resolves. */
  save(state: TrainingState): Promise<void>;
}
