import { ExperimentError } from "../../errors.ts";
import type { Study } from "../../studies/study.ts";
import { unknown } from "./choose.ts";

/** Options of studies by the study's name. */
type StudyOptions = Readonly<Record<string, object>>;

/** Every study's options with their defaults, for the command line's help: "depth.layerStride=1". */
export function describeStudyOptions(studies: readonly Study[]): string {
  return studies
    .flatMap(({ name, options }) =>
      Object.entries(options.parse({}) as object).map(([option, value]) => `${name}.${option}=${show(value)}`),
    )
    .join(", ");
}

/**
 * Options of studies from a command line, such as "restoration.windowRadius=1". A value is JSON; what is no JSON is a text.
 * @param studies those of the experiment
 * @throws ExperimentError for another form, a study that is not among them, an unknown option, or a value that the study refuses
 */
export function chooseStudyOptions(given: readonly string[], studies: readonly Study[]): StudyOptions {
  const chosen: Record<string, Record<string, unknown>> = {};
  for (const text of given) {
    const {
      study: name,
      option,
      value,
    } = /^(?<study>[^.=]+)\.(?<option>[^=]+)=(?<value>.*)$/s.exec(text)?.groups ?? {};
    if (name === undefined || option === undefined || value === undefined)
      throw new ExperimentError(
        `--option ${text}: expected STUDY.NAME=VALUE, such as one of ${describeStudyOptions(studies)}`,
      );
    const study = studies.find((each) => each.name === name);
    if (!study)
      throw new ExperimentError(
        `--option ${text}: the experiment has no study "${name}", only ${studies.map((each) => each.name).join(", ")}. --study asks for others`,
      );
    const known = Object.keys(study.options.parse({}) as object);
    if (!known.includes(option)) unknown(`option of ${name}`, option, known);
    const read = study.options.safeParse({ [option]: parse(value) });
    if (!read.success)
      throw new ExperimentError(`--option ${text}: ${read.error.issues.map(({ message }) => message).join("; ")}`);
    chosen[name] = { ...chosen[name], [option]: (read.data as Record<string, unknown>)[option] };
  }
  return chosen;
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
