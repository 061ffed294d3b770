/** The experiment's command line on the fake study, for tests that stop a process from outside. */
import { loadConcepts } from "@lethe/unlearn/data/node";
import { runCli } from "../../src/experiment/cli.ts";
import { FakeStudy } from "./fake-study.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  openStudy: async () => new FakeStudy(Number(process.env.STEP_MILLISECONDS)),
  loadConcepts,
  stdout: process.stdout,
  stderr: process.stderr,
});
