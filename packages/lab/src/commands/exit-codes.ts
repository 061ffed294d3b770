import { DeviceLostError, LetheError, OutOfMemoryError } from "@lethe/tensor";
import { CommanderError } from "commander";
import { CellError, ExperimentError, NotYetError } from "../errors.ts";
import { Stopped } from "./experiment/stop-signals.ts";
import { explain } from "./explain.ts";

/** Exit codes as a scheduler reads them; those of `sysexits.h`, where it has one. */
const TRY_AGAIN = 75;
const WRONG_CONFIGURATION = 78;
const FAULT = 1;

/**
 * The exit code of an error, and what is said of it. 75: the same command may succeed later, because a device was lost or had too little
 * memory, or because a cell that is needed is not finished. 78: an option, a file or a folder is wrong. 130 and 143: stopped by Ctrl-C
 * or SIGTERM. 1: anything else, which will happen again.
 */
export function failure(error: unknown): { readonly code: number; readonly message?: string } {
  if (error instanceof Stopped) return { code: error.exitCode };
  // Commander has printed its message, or the help, itself.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : WRONG_CONFIGURATION };
  return { code: codeOf(error), message: explain(error) };
}

function codeOf(error: unknown): number {
  const chain = causes(error);
  const passing = [DeviceLostError, OutOfMemoryError, NotYetError];
  if (chain.some((each) => passing.some((Kind) => each instanceof Kind))) return TRY_AGAIN;
  // A cell that fails is a wrong option only where its cause says so.
  const Wrong = chain[0] instanceof CellError ? ExperimentError : LetheError;
  return chain.some((each) => each instanceof Wrong) ? WRONG_CONFIGURATION : FAULT;
}

function causes(error: unknown): unknown[] {
  return error instanceof Error && error.cause !== undefined ? [error, ...causes(error.cause)] : [error];
}
