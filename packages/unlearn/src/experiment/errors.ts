/** What the person who started an experiment can put right: a wrong option, an unusable folder, a file that does not fit. */
export class ExperimentError extends Error {
  override readonly name = "ExperimentError";
}
