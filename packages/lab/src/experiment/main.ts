import { loadConcepts } from "@lethe/unlearn/data/node";
import { runCli } from "./cli.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  // Imported when needed: --help and --list-cells open no device.
  openStudy: async () => (await import("./study.ts")).openStudy(),
  loadConcepts,
  stdout: process.stdout,
  stderr: process.stderr,
});
