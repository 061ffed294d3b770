/** `npm run generate -- --model DIR "prompt"`: continues a prompt and prints the text as it comes. */
import { loadModel } from "@lethe/auto";
import type { GenerateOptions } from "@lethe/decoder";
import { openDevice } from "@lethe/tensor";
import { Command, InvalidArgumentError } from "commander";
import { runCommand } from "./command-line.ts";

type Options = Pick<GenerateOptions, "temperature" | "topK" | "topP" | "seed"> & { model: string; tokens: number };

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

async function generate(typed: string, { model: directory, tokens, ...sampling }: Options): Promise<void> {
  // Shells differ in how a line break is typed inside quotes.
  const prompt = typed.replaceAll("\\n", "\n");
  const device = await openDevice();
  try {
    using model = await loadModel(device, directory);
    const pieces = model.stream(prompt, { ...sampling, maxNewTokens: tokens });
    process.stdout.write(prompt);
    const start = performance.now();
    let count = 0;
    for await (const piece of pieces) {
      process.stdout.write(piece);
      count++;
    }
    const seconds = (performance.now() - start) / 1000;
    process.stdout.write("\n");
    console.error(`${count} tokens in ${seconds.toFixed(1)} s on ${device.adapterName}`);
  } finally {
    device.destroy();
  }
}

await runCommand(
  new Command("generate")
    .description("Continues a prompt with a model in Hugging Face's format: greedily, unless a temperature is given.")
    .argument("<prompt>", "text to continue; \\n stands for a line break")
    .requiredOption(
      "-m, --model <directory>",
      "directory with config.json, *.safetensors and tokenizer.json, or org/name in the Hugging Face cache",
    )
    .option("-n, --tokens <count>", "most tokens to add", number, 64)
    .option(
      "-t, --temperature <number>",
      "draw tokens rather than take the likeliest; 1 is the model's own odds",
      number,
    )
    .option("--top-k <count>", "draw among this many likeliest tokens", number)
    .option("--top-p <probability>", "draw among the likeliest tokens that together reach this", number)
    .option("--seed <number>", "seed of the draws", number, 0)
    .action(generate),
);
