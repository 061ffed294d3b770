/** `npm run audit -- --vanilla DIR --unlearned DIR`: measures a model that somebody unlearned. */
import { runProgram } from "../command-line.ts";
import { processParts } from "../experiment/process-parts.ts";
import { runAudit } from "./cli.ts";

await runProgram(async () => {
  process.exitCode = await runAudit(process.argv.slice(2), processParts);
});
