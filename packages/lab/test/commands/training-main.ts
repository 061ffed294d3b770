/** The experiment's command line on the device, for tests that kill it: it keeps its training after every step, and its study never ends. */
import { setTimeout } from "node:timers/promises";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { runProgram } from "../../src/commands/command-line.ts";
import { runCli } from "../../src/commands/experiment/cli.ts";
import type { Study } from "../../src/studies/study.ts";
import { words } from "../words-study.ts";

const endless: Study = { ...(words as Study), measure: () => setTimeout(2 ** 31 - 1) };

await runProgram(async () => {
  process.exitCode = await runCli(process.argv.slice(2), {
    studies: [endless],
    openRunner: openDeviceRunner,
    keep: () => true,
    loadConcepts,
    stdout: process.stdout,
    stderr: process.stderr,
  });
});
