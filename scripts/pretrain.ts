/** `npm run pretrain`: trains a family's tiny model from scratch on its concepts and writes it as a Hugging Face directory. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { initModel } from "@lethe/auto";
import { folderOf, readText } from "@lethe/decoder";
import { modelCard, pretrain, TINY_FAMILIES, type TinyFamily, type TinyModel, tinyModels } from "@lethe/lab";
import { LetheError, openDevice } from "@lethe/tensor";
import { answerQuestions, exactShare, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";

const whole = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It has to be a whole number from 0 on.");
  return value;
};

interface Options {
  readonly family: TinyFamily;
  readonly out?: string;
  readonly data?: string;
  readonly tokenizer?: string;
  readonly seed: number;
  readonly epochs?: number;
}

/** The share of questions that must be answered exactly. */
const known = 0.98;

const command = new Command("pretrain")
  .description("Train a tiny model from scratch until it answers its data's questions.")
  .addOption(new Option("--family <name>", "what kind of model").choices(TINY_FAMILIES).default("llama"))
  .option("--out <dir>", `where the model goes (default: ${each(({ directory }) => directory)})`)
  .option("--data <file>", `concepts to learn (default: ${each(({ data }) => data)})`)
  .option("--tokenizer <dir>", "directory with tokenizer.json (default: as --out by default)")
  .option("--seed <n>", "of weights, order and wording", whole, 0)
  .option("--epochs <n>", `passes over the data (default: ${each(({ recipe }) => recipe.epochs)})`, whole)
  .action(run);

try {
  await command.parseAsync();
} catch (error) {
  // What Lethe throws on purpose is written for people; anything else is a fault and keeps its stack.
  if (!(error instanceof LetheError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

async function run({ family, seed, ...given }: Options): Promise<void> {
  const { config, ...tiny } = tinyModels[family];
  const { out = tiny.directory, data = tiny.data, tokenizer = tiny.directory } = given;
  const recipe = { ...tiny.recipe, epochs: given.epochs ?? tiny.recipe.epochs };
  const concepts = await loadConcepts(data);
  const text = await readText(await folderOf(tokenizer));
  if (!text) throw new LetheError(`--tokenizer ${tokenizer}: there is no tokenizer.json in it`);
  const vocabulary = await vocabularyOf(tokenizer);
  const device = await openDevice();
  console.log(`Adapter: ${device.adapterName}`);

  const ids = { bos_token_id: 0, eos_token_id: 1, pad_token_id: 2 };
  using model = initModel(device, { ...config, ...ids, vocab_size: vocabulary }, seed, text);
  const started = performance.now();
  const bar = new SingleBar({ format: "pretraining [{bar}] step {value}/{total}, loss {loss}, {eta_formatted} left" });
  let loss = Number.NaN;
  for await (const record of pretrain(model, concepts, recipe, seed)) {
    loss = record.loss;
    if (record.step === 1) bar.start(record.totalSteps, 0, { loss: loss.toFixed(3) });
    bar.update(record.step, { loss: loss.toFixed(3) });
    if (!process.stderr.isTTY && record.step % 100 === 0)
      console.log(`step ${record.step} of ${record.totalSteps}, epoch ${record.epoch}: loss ${loss.toFixed(4)}`);
  }
  bar.stop();
  const minutes = (performance.now() - started) / 60_000;

  const exact = async (questions: readonly string[], answers: readonly string[]) => {
    return exactShare(await answerQuestions(model, questions, { maxTokens: 40 }), answers);
  };
  const target = await exact(
    concepts.flatMap(({ questions }) => questions),
    concepts.flatMap(({ answers }) => answers ?? []),
  );
  const unrelated = unrelatedFactsOf(concepts);
  const others = await exact(
    unrelated.map(({ question }) => question),
    unrelated.map(({ answer }) => answer),
  );
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
  console.log(`Trained in ${minutes.toFixed(1)} minutes; last loss ${loss.toFixed(4)}.`);
  console.log(`Exact answers: ${percent(target)} of target questions, ${percent(others)} of unrelated ones.`);
  if (Math.min(target, others) < known) {
    console.error(`Not saved: at least ${percent(known)} of both are needed. Try more --epochs or another --seed.`);
    process.exitCode = 1;
  } else {
    await model.save(out, { tokenizer });
    const card = modelCard({ family, config: model.config, recipe, seed, target, unrelated: others });
    await writeFile(join(out, "README.md"), card);
    console.log(`Saved to ${out}.`);
  }
  device.destroy();
}

/** What the tiny models have as a default, one a family. */
function each(of: (tiny: TinyModel) => string | number): string {
  return TINY_FAMILIES.map((family) => of(tinyModels[family])).join(" or ");
}

/** Ids that a tokenizer gives, the added ones among them. */
async function vocabularyOf(directory: string): Promise<number> {
  const file = JSON.parse(await readFile(join(directory, "tokenizer.json"), "utf8"));
  const used = [
    ...Object.values(file.model.vocab as Record<string, number>),
    ...file.added_tokens.map(({ id }: { id: number }) => id),
  ];
  return Math.max(...used) + 1;
}
