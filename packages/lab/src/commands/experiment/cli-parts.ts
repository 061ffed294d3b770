import type { Concept, DataOptions } from "@lethe/unlearn";
import type { RunnerOptions } from "../../cells/device-runner.ts";
import type { CellRunner } from "../../cells/run-cells.ts";
import type { KeepPolicy } from "../../cells/unfinished-cell.ts";
import type { Study } from "../../studies/study.ts";

/** What the command line uses. Tests give a runner without a GPU. */
export interface CliParts {
  /** The studies that can be chosen. */
  readonly studies: readonly Study[];
  readonly openRunner: (studies: readonly Study[], options?: RunnerOptions) => Promise<CellRunner>;
  /** When unfinished work is kept. Default: as `runCells` does. */
  readonly keep?: KeepPolicy;
  readonly loadConcepts: (file: string, options: DataOptions) => Promise<Concept[]>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** What was typed, for the record and for the command that resumes the run. Default: this command and its arguments. */
  readonly typed?: { readonly command: string; readonly arguments: readonly string[] };
}
