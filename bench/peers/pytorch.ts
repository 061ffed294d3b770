import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contender } from "./peer.ts";
import { adam, eps } from "./tasks.ts";

/**
 * PyTorch on the cores of the CPU, in a process of its own that works when it is asked to and waits otherwise. It is no peer: it stands in the
 * table so that nobody takes a software adapter for a fast machine.
 * @returns null where `python3` has no torch
 */
export async function torchContender(): Promise<Contender | null> {
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const child = spawn("python3", [script], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? null : JSON.parse(value);
  };
  child.on("error", () => {}); // No python3: the output ends, which is the answer.
  child.stdin.on("error", () => {});
  const hello = await answer();
  if (!hello) return null;
  const ask = async (request: object) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const given = await answer();
    if (!given) throw new Error("its process ended");
    return given;
  };
  const folder = mkdtempSync(join(tmpdir(), "lethe-torch-"));
  return {
    name: "PyTorch",
    version: hello.version,
    async prepare({ kind, operands }) {
      const entries = Object.entries(operands).map(([name, { shape, values }]) => {
        const file = join(folder, name);
        writeFileSync(file, values);
        return [name, { file, shape }];
      });
      const output = join(folder, "output");
      await ask({ kind, eps, adam, operands: Object.fromEntries(entries), output });
      const bytes = readFileSync(output);
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      return {
        dispatches: null,
        output: async () => values,
        time: async (repeats) => (await ask({ repeats })).seconds,
      };
    },
    close() {
      child.kill();
      rmSync(folder, { recursive: true });
    },
  };
}
