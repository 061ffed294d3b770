/** `npm run extract -- --corpus FILE --concept NAME`: takes the paragraphs about concepts out of a corpus, as texts to forget. */
import { runProgram } from "../command-line.ts";
import { runExtract } from "./cli.ts";

await runProgram(async () => {
  process.exitCode = await runExtract(process.argv.slice(2), process);
});
