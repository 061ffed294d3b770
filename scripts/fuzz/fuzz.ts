import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Outcome, Task } from "./reader.ts";

/** A mutant that takes longer than this is slow; after ten times as long its process is ended. */
const SLOW_MS = 1000;
/** No message is longer, and no process grows by more. */
const MOST_CHARACTERS = 5000;
const MOST_BYTES = 256 * 2 ** 20;

/** A mutant that was not read as it should be. */
export interface Fault {
  readonly index: number;
  readonly file: string;
  readonly what: "other error" | "slow" | "large" | "process ended";
  readonly detail: string;
}

export interface Report {
  readonly loaded: number;
  readonly typedErrors: number;
  readonly faults: readonly Fault[];
}

/** Reads damaged model directories and data files, and counts what becomes of them. */
export async function fuzz({ seed, from, to }: Task): Promise<Report> {
  const faults: Fault[] = [];
  const counts = { loaded: 0, typedErrors: 0 };
  const note = ({ index, file, kind, message = "", ms = 0, grown = 0 }: Outcome) => {
    const fault = (what: Fault["what"], detail: string) => faults.push({ index, file, what, detail });
    if (kind === "loaded") counts.loaded++;
    else if (kind === "typed error") counts.typedErrors++;
    else fault("other error", message.slice(0, 600));
    if (ms > SLOW_MS) fault("slow", `${(ms / 1000).toFixed(1)} s`);
    if (message.length > MOST_CHARACTERS) fault("large", `a message of ${message.length} characters`);
    if (grown > MOST_BYTES) fault("large", `${Math.round(grown / 2 ** 20)} MiB more memory`);
  };
  for (let next = from; next < to; ) {
    const last = await readFrom({ seed, from: next, to }, note);
    if (last === undefined) break;
    faults.push({ index: last.index, file: last.file, what: "process ended", detail: last.how });
    next = last.index + 1;
  }
  return { ...counts, faults };
}

/** Reads mutants in a new process. @returns the mutant that ended the process before its time, if one did */
async function readFrom(
  task: Task,
  note: (outcome: Outcome) => void,
): Promise<(Outcome & { how: string }) | undefined> {
  const execArgv = ["--conditions=lethe-source", "--import", "tsx", "--max-old-space-size=1024"];
  const child = fork(fileURLToPath(new URL("reader.ts", import.meta.url)), {
    execArgv,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-600);
  });
  let current: Outcome | undefined;
  let overdue: NodeJS.Timeout | undefined;
  child.on("message", (outcome: Outcome) => {
    clearTimeout(overdue);
    current = outcome;
    if (outcome.kind) note(outcome);
    else overdue = setTimeout(() => child.kill("SIGKILL"), 10 * SLOW_MS);
  });
  child.send(task);
  const [code, signal] = await once(child, "close");
  clearTimeout(overdue);
  if (current?.index === task.to - 1 && current.kind) return undefined;
  if (current === undefined) throw new Error(`The reading process did not start (${signal ?? code}): ${complaint}`);
  return { ...current, how: `${signal ?? `exit ${code}`}: ${complaint}` };
}
