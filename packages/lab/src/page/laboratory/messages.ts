import type { Attribution, SettingName } from "@lethe/unlearn";
import type { CellConfig, CellResult } from "../../cells/cell.ts";
import type { Live } from "../../subjects/live.ts";
import type { Figures } from "../../subjects/subject.ts";
import type { Settings } from "../settings.ts";

// What passes between the page and its Worker: plain data.

/** Something that can be chosen. */
export interface Choice {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** What can be chosen, whatever the model. */
export interface Catalogue {
  /** The settings of a page whose link says nothing. */
  readonly usual: Settings;
  /** Names of the models that come with the page. */
  readonly models: readonly string[];
  readonly methods: readonly { readonly name: string; readonly title: string; readonly source: string }[];
  readonly presets: readonly {
    readonly name: string;
    readonly targetQuestions: number;
    readonly unrelatedQuestions: number;
  }[];
  readonly controls: readonly Choice[];
  readonly studies: readonly Choice[];
  /** What the restoration study can put back; the place of its colour in the palette. */
  readonly restorations: readonly { readonly name: SettingName; readonly label: string; readonly place: number }[];
}

/** What can be chosen for a model, and what is taken where nothing is. */
export interface ModelFacts {
  readonly layers: number;
  readonly concepts: readonly string[];
  readonly rate: number;
  readonly epochs: number;
  /** Optimiser steps where the recipe on record has them; else null. */
  readonly steps: number | null;
}

/** A cell that will be run. */
export interface PlannedCell {
  readonly id: string;
  readonly config: CellConfig;
  readonly control: boolean;
}

/** What happens while an experiment runs. */
export type LabEvent =
  | {
      readonly kind: "planned";
      readonly cells: readonly PlannedCell[];
      /** The command that makes the same cells. */
      readonly command: string;
    }
  | {
      readonly kind: "progress";
      /** Of the whole experiment that is done, from 0 to 1. */
      readonly share: number;
      readonly cell: string;
      readonly stage: string;
      readonly now: Figures | undefined;
    }
  | { readonly kind: "remark"; readonly line: string }
  /** Seconds that the running cell will take. */
  | { readonly kind: "forecast"; readonly seconds: number }
  | { readonly kind: "live"; readonly cell: string; readonly now: Live }
  | { readonly kind: "finished"; readonly cell: string; readonly result: CellResult; readonly seconds: number };

/** What of an unlearned model is put back before it answers. */
export interface Inspected {
  readonly cell: string;
  readonly question: string;
  /** Absent for the unlearned model as it is. */
  readonly restored?: { readonly setting: SettingName; readonly centre: number } | undefined;
}

/** A token of an answer, with its probability, from 0 to 1: with the restoration, without it, and in the vanilla model. */
export interface InspectedToken {
  readonly text: string;
  readonly stops: boolean;
  readonly probability: number;
  readonly unlearned: number;
  readonly vanilla: number;
  readonly likeliest: readonly { readonly text: string; readonly probability: number }[];
}

/** Contributions of a question's words to the vanilla model's answer. */
export interface WordScores {
  readonly words: readonly string[];
  readonly answer: string;
  readonly vanilla: Attribution;
  readonly unlearned: Attribution;
}
