/** Runs `reference.py` in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Description } from "./draw.ts";

/** The comparison cannot be made: Python or one of its packages is missing, or `reference.py` failed. */
export class ParityError extends Error {
  override readonly name = "ParityError";
}

const script = fileURLToPath(new URL("reference.py", import.meta.url));

/**
 * Lets `transformers` make and run the described models under a directory. Yields each description when its folder is complete.
 * @throws {ParityError} when there is no such Python, a package is missing, or `reference.py` fails
 */
export async function* references<D extends Description>(
  python: string,
  directory: string,
  descriptions: readonly D[],
): AsyncGenerator<D, void, void> {
  const child = spawn(python, ["-B", script, directory], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new ParityError(`There is no ${python} here. ${remedy}`);
    throw error;
  });
  // Awaited below. Without this handler, a rejection before that would end the process.
  ended.catch(() => {});
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  // A process that ended cannot read its input; its exit status, below, says more than this error.
  child.stdin.on("error", () => {});
  child.stdin.end(descriptions.map((description) => `${JSON.stringify(description)}\n`).join(""));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const name = JSON.parse(line) as string;
      yield descriptions.find((description) => description.name === name)!;
    }
    const [status] = await ended;
    if (status === 0) return;
    const missing = /ModuleNotFoundError: No module named '([^']+)'/.exec(complaints);
    throw new ParityError(
      missing
        ? `${python} does not have the package ${missing[1]}. ${remedy}`
        : `reference.py ended with status ${status}:\n${complaints.trim().split("\n").slice(-12).join("\n")}`,
    );
  } finally {
    child.kill();
  }
}

const remedy =
  "This comparison needs Python 3 with PyTorch and transformers: `pip install -r parity/requirements.txt`, or name one that has them with --python.";
