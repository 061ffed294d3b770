import { LetheError } from "@lethe/tensor";

/** What the person who started an experiment can put right: a wrong option, an unusable folder, a file that does not fit. */
export class ExperimentError extends LetheError {
  override readonly name = "ExperimentError";
}
