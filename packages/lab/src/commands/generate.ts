/** `npm run generate -- "prompt"`: continues a prompt and prints the text as it comes. */
import { loadModel } from "@lethe/auto";
import type { GenerateOptions } from "@lethe/decoder";
import { openDevice } from "@lethe/tensor";
import { bundled } from "./bundled.ts";
import { commandLine, number, runCommand, wholeFrom } from "./command-line.ts";
import { fetchModel } from "./fetch-model.ts";

type Options = Pick<GenerateOptions, "temperature" | "topK" | "topP" | "seed"> & { model: string; tokens: number };

async function generate(typed: string, { model: directory, tokens, ...sampling }: Options): Promise<void> {
  // Shells differ in how a line break is typed inside quotes.
  const prompt = typed.replaceAll("\\n", "\n");
  await fetchModel(directory, process.stderr);
  const device = await openDevice();
  try {
    using model = await loadModel(device, directory);
    const start = performance.now();
    let count = 0;
    try {
      // The prompt is printed with the first token: what is refused before it prints nothing.
      for await (const piece of model.stream(prompt, { ...sampling, maxNewTokens: tokens }))
        process.stdout.write(count++ === 0 ? prompt + piece : piece);
    } finally {
      if (count > 0) process.stdout.write("\n");
    }
    const seconds = (performance.now() - start) / 1000;
    console.error(`${count} tokens in ${seconds.toFixed(1)} s on ${device.adapterName}`);
  } finally {
    device.destroy();
  }
}

await runCommand(
  commandLine(
    "generate",
    "Continues a prompt with a model in Hugging Face's format: greedily, unless a temperature is given.",
  )
    .argument("<prompt>", "text to continue; \\n stands for a line break")
    .option(
      "-m, --model <model>",
      "directory with config.json, *.safetensors and tokenizer.json, or org/name on the Hugging Face Hub",
      bundled.llama.directory,
    )
    .option("-n, --tokens <count>", "most tokens to add", wholeFrom(0), 64)
    .option(
      "-t, --temperature <number>",
      "draw tokens rather than take the likeliest; 1 is the model's own odds",
      number,
    )
    .option("--top-k <count>", "draw among this many likeliest tokens", wholeFrom(1))
    .option("--top-p <probability>", "draw among the likeliest tokens that together reach this", number)
    .option("--seed <number>", "seed of the draws", wholeFrom(0), 0)
    .action(generate),
);
