import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../packages.ts";
import { shownFiles } from "./page.ts";

/** Entries of the repository that no study needs, or that would lead its results into it. */
const LEFT_OUT = [".git", "out", "study"];

/** A folder that stands for the repository's, with the files of the page in it and room for results. */
export class Workplace implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "lethe-cluster-"));

  constructor() {
    for (const name of readdirSync(root).filter((name) => !LEFT_OUT.includes(name)))
      symlinkSync(join(root, name), join(this.folder, name));
    for (const [name, content] of shownFiles()) writeFileSync(join(this.folder, name), content);
  }

  /** Runs shell commands there, and shows what they print. @throws Error when they end with another code than these */
  async run(commands: string, { env = {}, codes = [0] }: { env?: NodeJS.ProcessEnv; codes?: number[] } = {}) {
    const child = spawn("bash", ["-euc", commands], {
      cwd: this.folder,
      env: { ...process.env, ...env, INIT_CWD: this.folder },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const code = await new Promise((resolve) => child.on("exit", resolve));
    if (!codes.includes(code as number)) throw new Error(`exit code ${code} of:\n${commands}`);
  }

  /** The tables of a folder of results, by name. */
  tables(out: string): Map<string, string> {
    const names = readdirSync(join(this.folder, out), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith(".csv"));
    return new Map(names.sort().map((name) => [name, readFileSync(join(this.folder, out, name), "utf8")]));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
