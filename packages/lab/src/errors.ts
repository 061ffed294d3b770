import { LetheError } from "@lethe/tensor";

/** An error that the person who started an experiment can correct: a wrong option, a folder or a file that cannot be used. */
export class ExperimentError extends LetheError {
  override readonly name = "ExperimentError";
}

/** A cell that failed; the cause says why. */
export class CellError extends LetheError {
  override readonly name = "CellError";
}

/** What is not there yet: the same command is right, later. */
export class NotYetError extends LetheError {
  override readonly name = "NotYetError";
}
