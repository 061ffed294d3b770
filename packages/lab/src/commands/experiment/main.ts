import { runProgram } from "../command-line.ts";
import { runCli } from "./cli.ts";
import { processParts } from "./process-parts.ts";

await runProgram(async () => {
  process.exitCode = await runCli(process.argv.slice(2), processParts);
});
