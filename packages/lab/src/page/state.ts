import type { SettingName } from "@lethe/unlearn";
import type { Given } from "./dropped.ts";
import type { Catalogue, InspectedToken, ModelFacts, WordScores } from "./laboratory/messages.ts";
import type { Run } from "./run.ts";
import type { Settings } from "./settings.ts";

/** A part of the unlearned model that is put back. */
export interface Restored {
  readonly setting: SettingName;
  readonly centre: number;
}

/** An answer that is read token by token. */
export interface Reading {
  readonly question: string;
  readonly restored?: Restored | undefined;
  readonly tokens: readonly InspectedToken[];
  readonly words?: WordScores;
  /** What is being computed; absent when nothing is. */
  readonly busy?: "answer" | "words" | undefined;
}

/** Everything that the page shows. */
export interface State {
  readonly catalogue: Catalogue;
  readonly settings: Settings;
  /** Whether this browser has WebGPU at all. */
  readonly gpu: boolean;
  /** The adapter in words; absent until it is known. */
  readonly adapter?: string;
  /** What can be chosen for the model; absent until it is read. */
  readonly facts?: ModelFacts | undefined;
  /** Bytes that were read of a model that is elsewhere. */
  readonly read?: number | undefined;
  /** What went wrong last, for the person who can mend it. */
  readonly problem?: string | undefined;
  /** The experiment that runs, or ran. */
  readonly run?: Run;
  /** Texts of SVGs by the figure's name. */
  readonly figures: Readonly<Record<string, string>>;
  readonly reading?: Reading | undefined;
  /** What is being made ready to be saved. */
  readonly saving?: string | undefined;
  /** Said once, for instance when the link was copied. */
  readonly notice?: string | undefined;
}

/** What can be saved. */
export type Saved = "report" | "results" | "checkpoint";

/** What a person can do on the page. */
export interface Actions {
  choose(change: { readonly [Field in keyof Settings]?: Settings[Field] | undefined }): void;
  drop(given: Given): void;
  start(): void;
  stop(): void;
  /** Asks the unlearned model, with a part of it restored or as it is. */
  read(question: string, restored: Restored | undefined): void;
  /** Finds which words of a question count. */
  weigh(question: string): void;
  save(what: Saved): void;
  copyLink(): void;
}
