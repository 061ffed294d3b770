/** The experiment's command line on the device, which keeps its training after every step, for tests that kill it. */
import { loadConcepts } from "@lethe/unlearn/data/node";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { runProgram } from "../../src/commands/command-line.ts";
import { runCli } from "../../src/commands/experiment/cli.ts";
import { studies } from "../../src/studies/list.ts";

await runProgram(async () => {
  process.exitCode = await runCli(process.argv.slice(2), {
    studies,
    openRunner: openDeviceRunner,
    keep: () => true,
    loadConcepts,
    stdout: process.stdout,
    stderr: process.stderr,
  });
});
