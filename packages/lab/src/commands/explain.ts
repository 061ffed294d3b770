import { CellError } from "../errors.ts";

/** The names under which JavaScript itself reports the faults of a program. */
const FAULTS = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "AssertionError"];

/** An error in words: the message where it was written for people, and the stack of any other, which is a fault to be found. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("syscall" in error) return `error: ${systemFailure(error as NodeJS.ErrnoException)}`;
  if (FAULTS.includes(error.name)) return error.stack ?? error.message;
  // The message of a failed cell says which one; its cause may be a fault. The message of any other error holds its cause.
  const { cause } = error;
  const fault = error instanceof CellError && cause instanceof Error && FAULTS.includes(cause.name);
  return `error: ${error.message}${fault ? `\n${cause.stack}` : ""}`;
}

/** What the system's refusals mean, and what to do. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full. Free some space, or write elsewhere.",
  EDQUOT: "your share of the disk is used up. Free some space, or write elsewhere.",
  EACCES: "this is not permitted. Change the permissions, or name another place.",
  EPERM: "this is not permitted. Change the permissions, or name another place.",
  EROFS: "nothing can be written there. Name another place.",
  ENOENT: "it is not there.",
  ENOTDIR: "a file lies where a folder should be. Remove it, or name another place.",
  EEXIST: "a file lies where a folder should be. Remove it, or name another place.",
  EISDIR: "a folder lies where a file should be. Remove it, or name another place.",
};

/** An error of the file system or of a stream: what it concerns, and what to do. */
function systemFailure({ message, code = "", path, syscall }: NodeJS.ErrnoException): string {
  const meaning = REFUSALS[code];
  return meaning ? `${path ?? syscall}: ${code}, ${meaning}` : message;
}
