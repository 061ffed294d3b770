import type { Hooks, Site, TensorSource } from "@lethe/hooks";

/** What a setting makes hooks from. */
export interface RestorationContext {
  /** The layers around the centre, in ascending order. */
  readonly window: readonly number[];
  /** Layers of the model. */
  readonly depth: number;
  /** The vanilla model: its run on the same questions, and its value vectors. */
  readonly vanilla: TensorSource;
  /** The unlearned model as it is: its own run on the same questions, and its value vectors. */
  readonly own: TensorSource;
}

/** What a restoration puts back into the unlearned model, and what it holds at the unlearned model's own values. */
export interface Setting<N extends string = string> {
  /** For files and command lines. */
  readonly name: N;
  /** For figures and tables. */
  readonly label: string;
  /** The shape of its points in figures, by Vega's name. */
  readonly marker: string;
  /** Whether all else is held at the unlearned model's own values from the window on. Reports draw such settings in a figure of their own. */
  readonly isolated: boolean;
  /** What `hooks` takes from the vanilla model: activations of its run, and `W_V`. */
  readonly vanilla: readonly Site[];
  /** Activations that `hooks` takes from the unlearned model's own run. */
  readonly own?: readonly Site[];
  /**
   * Interventions on a pass of the unlearned model. The pass starts at the window's first layer, so no hook may be before it. Windows can
   * share a pass where every hook restores, freezes or replaces a site in layers that it names; with other hooks each window has its own.
   */
  hooks(context: RestorationContext): Hooks;
}
