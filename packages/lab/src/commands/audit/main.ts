/** `npm run audit -- --vanilla DIR --unlearned DIR`: measures a model that somebody unlearned. */
import { loadConcepts } from "@lethe/unlearn/data/node";
import { studies } from "../../studies/list.ts";
import { runProgram } from "../command-line.ts";
import { runAudit } from "./cli.ts";

await runProgram(async () => {
  process.exitCode = await runAudit(process.argv.slice(2), {
    studies,
    // Imported when needed: --help and --list-cells open no device.
    openRunner: async (chosen) => (await import("../../cells/device-runner.ts")).openDeviceRunner(chosen),
    loadConcepts,
    stdout: process.stdout,
    stderr: process.stderr,
  });
});
