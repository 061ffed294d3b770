/** The experiment's command line on the fake runner, for tests that need processes of their own. */
import { once } from "node:events";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { runProgram } from "../../src/commands/command-line.ts";
import { runCli } from "../../src/commands/experiment/cli.ts";
import { studies } from "../../src/studies/list.ts";
import { FakeRunner } from "../fake-runner.ts";

await runProgram(async () => {
  process.exitCode = await runCli(process.argv.slice(2), {
    studies,
    openRunner: async () => {
      // Waits until the test has all its processes here, so that they begin together.
      if (process.send) {
        process.send("ready");
        await once(process, "message");
        process.disconnect();
      }
      return new FakeRunner(Number(process.env.STEP_MILLISECONDS), undefined, process.env.DEAF !== undefined);
    },
    loadConcepts,
    stdout: process.stdout,
    stderr: process.stderr,
  });
});
