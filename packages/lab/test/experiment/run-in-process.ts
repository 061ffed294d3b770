import { Writable } from "node:stream";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { runCli } from "../../src/experiment/cli.ts";
import type { Study } from "../../src/experiment/types.ts";
import { FakeStudy } from "./fake-study.ts";

/** What a run printed and how it ended. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function run(args: readonly string[], study: Study = new FakeStudy()): Promise<Run> {
  const texts = { out: "", err: "" };
  const stream = (name: keyof typeof texts) =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk;
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await runCli(args, {
    openStudy: async () => study,
    loadConcepts,
    stdout: stream("out"),
    stderr: stream("err"),
  });
  return { code, ...texts };
}
