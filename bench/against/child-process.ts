import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { LetheError } from "@lethe/tensor";

/** A process that answers a line with a line, and waits in between. */
export interface Asked {
  /** What it said when it was ready. */
  // biome-ignore lint/suspicious/noExplicitAny: the other process's words
  readonly hello: any;
  // biome-ignore lint/suspicious/noExplicitAny: the other process's words
  ask(request: object): Promise<any>;
  close(): void;
}

/** Node's arguments for a TypeScript program whose packages are their source. */
export const nodeArguments = ["--conditions=lethe-source", "--import", "tsx"];

/** Starts `child.ts` for the checkout in a folder. @throws when the process ends before it is ready */
export async function startChild(folder: string): Promise<Asked> {
  const program = fileURLToPath(new URL("child.ts", import.meta.url));
  const child = spawn(process.execPath, [...nodeArguments, program, folder], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {}); // It has ended, which the missing answer tells.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new LetheError(`the bench of ${folder} ended; what it said is above`);
    return JSON.parse(value);
  };
  const hello = await answer();
  return {
    hello,
    ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    },
    close: () => child.stdin.end(),
  };
}
