/** `npm run pretrain`: trains a family's tiny model from scratch on its concepts and writes it as a Hugging Face directory. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { initModel } from "@lethe/auto";
import { type Decoder, folderOf, readText } from "@lethe/decoder";
import { LetheError, openDevice } from "@lethe/tensor";
import { writeWhole } from "@lethe/tensor/node";
import { answerQuestions, type Concept, exactShare, factsOf, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { Option } from "commander";
import { identifyData } from "../cells/identity.ts";
import { KNOWN_FROM } from "../subjects/compared.ts";
import { modelCard } from "../tiny/model-card.ts";
import { pretrain } from "../tiny/pretrain.ts";
import { TINY_FAMILIES, type TinyFamily, tinyModels } from "../tiny/tiny-models.ts";
import { writePretraining } from "../tiny/write-pretraining.ts";
import { bundled } from "./bundled.ts";
import { commandLine, runCommand, wholeFrom } from "./command-line.ts";
import { type ProgressDisplay, showProgress } from "./progress.ts";

interface Options {
  readonly family: TinyFamily;
  readonly out?: string;
  readonly data?: string;
  readonly tokenizer?: string;
  readonly seed: number;
  readonly epochs?: number;
}

async function run({ family, seed, ...options }: Options): Promise<void> {
  const { directory } = bundled[family];
  const { out = directory, data = bundled[family].data, tokenizer = directory } = options;
  const { config, recipe: own } = tinyModels[family];
  const recipe = { ...own, epochs: options.epochs ?? own.epochs };
  const concepts = await loadConcepts(data, { format: "concept-vectors" });
  const text = await readText(await folderOf(tokenizer));
  if (!text) throw new LetheError(`--tokenizer ${tokenizer}: there is no tokenizer.json in it`);
  const ids = { bos_token_id: 0, eos_token_id: 1, pad_token_id: 2, vocab_size: await vocabularyOf(tokenizer) };
  const device = await openDevice();
  try {
    console.log(`Adapter: ${device.adapterName}`);
    using model = initModel(device, { ...config, ...ids }, seed, text);
    await trainWithProgress(pretrain(model, concepts, recipe, seed));
    const known = await knownShares(model, concepts);
    const [target, unrelated] = [known.target, known.unrelated].map((share) => `${(share * 100).toFixed(1)}%`);
    console.log(`Exact answers: ${target} of target questions, ${unrelated} of unrelated ones.`);
    if (Math.min(known.target, known.unrelated) < KNOWN_FROM) {
      throw new LetheError(
        `the model is not saved: it must answer ${KNOWN_FROM * 100}% of both kinds exactly. Try more --epochs or another --seed.`,
      );
    }
    await model.save(out, { tokenizer });
    await writePretraining(out, { seed, recipe, data: identifyData(concepts) });
    await writeWhole(join(out, "README.md"), modelCard({ family, config: model.config, recipe, seed, ...known }));
    console.log(`Saved to ${out}.`);
  } finally {
    device.destroy();
  }
}

/** Runs the training, and shows how far it is. */
async function trainWithProgress(steps: ReturnType<typeof pretrain>): Promise<void> {
  const started = performance.now();
  let display: ProgressDisplay | undefined;
  let last = Number.NaN;
  for await (const { step, totalSteps, epoch, loss } of steps) {
    display ??= showProgress(process.stderr, totalSteps);
    display.update(step, `step ${step} of ${totalSteps}, epoch ${epoch}`, `loss ${loss.toFixed(3)}`);
    last = loss;
  }
  display?.stop();
  const minutes = (performance.now() - started) / 60_000;
  console.log(`Trained in ${minutes.toFixed(1)} minutes; last loss ${last.toFixed(4)}.`);
}

/** The shares of target and of unrelated questions that a model answers exactly. */
async function knownShares(model: Decoder, concepts: readonly Concept[]) {
  const share = async (facts: readonly { readonly question: string; readonly answer: string }[]) => {
    const answers = await answerQuestions(
      model,
      facts.map(({ question }) => question),
      { maxTokens: 40 },
    );
    return exactShare(
      answers,
      facts.map(({ answer }) => answer),
    );
  };
  return { target: await share(concepts.flatMap(factsOf)), unrelated: await share(unrelatedFactsOf(concepts)) };
}

/** One more than the highest id that a tokenizer gives, its added tokens included. */
async function vocabularyOf(directory: string): Promise<number> {
  const file = JSON.parse(await readFile(join(directory, "tokenizer.json"), "utf8"));
  const used = [
    ...Object.values(file.model.vocab as Record<string, number>),
    ...file.added_tokens.map(({ id }: { id: number }) => id),
  ];
  return Math.max(...used) + 1;
}

/** The defaults of an option, one a family. */
function each(of: (family: TinyFamily) => string | number): string {
  return TINY_FAMILIES.map(of).join(" or ");
}

await runCommand(
  commandLine("pretrain", "Trains a tiny model from scratch until it answers its data's questions.")
    .addOption(new Option("--family <name>", "what kind of model").choices(TINY_FAMILIES).default("llama"))
    .option("--out <directory>", `where the model goes (default: ${each((family) => bundled[family].directory)})`)
    .option("--data <file>", `concepts to learn (default: ${each((family) => bundled[family].data)})`)
    .option("--tokenizer <directory>", "directory with tokenizer.json (default: the default of --out)")
    .option("--seed <n>", "decides weights, order and wording", wholeFrom(0), 0)
    .option(
      "--epochs <n>",
      `passes over the data (default: ${each((family) => tinyModels[family].recipe.epochs)})`,
      wholeFrom(1),
    )
    .action(run),
);
