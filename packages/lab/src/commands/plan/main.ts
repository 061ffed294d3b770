/** `npm run plan -- --model MODEL --memory BYTES`: what a model's unlearning takes, before it is loaded. */
import { runProgram } from "../command-line.ts";
import { runPlan } from "./cli.ts";

await runProgram(async () => {
  process.exitCode = await runPlan(process.argv.slice(2), process);
});
