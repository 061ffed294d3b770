import { LetheError } from "@lethe/tensor";

/** An error that the person who started an experiment can correct: a wrong option, a folder or a file that cannot be used. */
export class ExperimentError extends LetheError {
  override readonly name = "ExperimentError";
}
