import { loadConcepts } from "@lethe/unlearn/data/node";
import { studies } from "../../studies/list.ts";
import type { CliParts } from "./cli-parts.ts";

/** What the command line of an experiment uses in a process of its own. */
export const processParts: CliParts = {
  studies,
  // Imported when needed: --help and --list-cells open no device.
  openRunner: async (...chosen) => (await import("../../cells/device-runner.ts")).openDeviceRunner(...chosen),
  loadConcepts,
  stdout: process.stdout,
  stderr: process.stderr,
};
