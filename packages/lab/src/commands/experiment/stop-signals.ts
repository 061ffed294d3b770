/** The reason of a run that a signal stops, with the exit code that shells expect. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`stopped by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** How long the work has to end after the first signal, in milliseconds. Ten seconds are promised. */
const GRACE = 7000;

/**
 * Runs work that Ctrl-C and SIGTERM stop. The first one aborts the work's signal. A second one ends the process at once, and so does work
 * that has not ended after a while, such as a pass of a large model that a driver does not interrupt. That is safe, because every file is
 * written under another name and then renamed.
 * @param onStop called at once at the first signal
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>, onStop: () => void): Promise<T> {
  const controller = new AbortController();
  let grace: NodeJS.Timeout | undefined;
  const stop = (signal: "SIGINT" | "SIGTERM") => {
    const reason = new Stopped(signal);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    grace = setTimeout(() => process.exit(reason.exitCode), GRACE).unref();
    onStop();
    controller.abort(reason);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const result = await work(controller.signal);
    // It goes on where the work fails: what closes the device afterwards may wait too.
    clearTimeout(grace);
    return result;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
