/** `npm run train-tokenizer`: trains a byte-level BPE tokenizer on concept data and writes it as Hugging Face's tokenizer.json and companions. */
import { join } from "node:path";
import { readText, type Text } from "@lethe/decoder";
import { filesFolder, LetheError } from "@lethe/tensor";
import { writeWhole } from "@lethe/tensor/node";
import { type Concept, factsOf, forgetParagraphs, promptOf, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { trainBytePairEncoding } from "../tiny/byte-pair-encoding.ts";
import { pretrainingDocuments } from "../tiny/documents.ts";
import { specials, specialTokensMap, tokenizerConfig, tokenizerJson } from "../tiny/tokenizer-files.ts";
import { bundled } from "./bundled.ts";
import { commandLine, runCommand, wholeFrom } from "./command-line.ts";

interface Options {
  readonly out: string;
  readonly data: string;
  readonly vocabSize: number;
  readonly maxLength: number;
}

async function run({ out, data, vocabSize, maxLength }: Options): Promise<void> {
  const concepts = await loadConcepts(data, { format: "concept-vectors" });
  // Two epochs together hold every paraphrase.
  const epochs = [0, 1].map((epoch) => pretrainingDocuments(concepts, unrelatedFactsOf(concepts), 0, epoch));
  const json = tokenizerJson(trainBytePairEncoding(epochs.flat(), vocabSize - specials.length));
  const files = {
    "tokenizer.json": json,
    "tokenizer_config.json": tokenizerConfig(maxLength),
    "special_tokens_map.json": specialTokensMap,
  };
  const written = Object.entries(files).map(([name, content]) => new File([JSON.stringify(content)], name));
  const tokenizer = (await readText(filesFolder(written)))!;
  for (const text of [...epochs.flat(), ...concepts.flatMap((concept) => forgetParagraphs(concept, 0))]) {
    const decoded = await tokenizer.decode(await tokenizer.encode(text));
    if (decoded !== text)
      throw new LetheError(`the tokenizer turns ${JSON.stringify(text)} into ${JSON.stringify(decoded)}`);
  }
  for (const [name, content] of Object.entries(files))
    await writeWhole(join(out, name), `${JSON.stringify(content, null, 2)}\n`);
  console.log(`${vocabSize} tokens in ${out}`);
  await printLengths(tokenizer, concepts, epochs);
}

/** Prints how many tokens answers and documents have. */
async function printLengths(
  tokenizer: Text,
  concepts: readonly Concept[],
  epochs: readonly (readonly string[])[],
): Promise<void> {
  const lengthOf = async (text: string) => (await tokenizer.encode(text)).length;
  const facts = [...concepts.flatMap(factsOf), ...unrelatedFactsOf(concepts)];
  const answers = await Promise.all(
    facts.map(async ({ question, answer }) => {
      const prompt = promptOf(question);
      return (await lengthOf(`${prompt} ${answer}`)) - (await lengthOf(prompt));
    }),
  );
  const mean = answers.reduce((sum, length) => sum + length, 0) / answers.length;
  console.log(`an answer has ${Math.min(...answers)} to ${Math.max(...answers)} tokens, ${mean.toFixed(1)} on average`);
  for (const [epoch, texts] of epochs.entries()) {
    const lengths = await Promise.all(texts.map(lengthOf));
    const total = lengths.reduce((sum, length) => sum + length + 1, 0);
    console.log(
      `epoch ${epoch}: ${texts.length} documents, ${total} tokens with <s> and </s>, the longest ${Math.max(...lengths) + 1}`,
    );
  }
}

await runCommand(
  commandLine(
    "train-tokenizer",
    "Trains a byte-level BPE tokenizer on concept data and writes it in Hugging Face's format.",
  )
    .requiredOption("--out <directory>", "where tokenizer.json and its companions go")
    .option("--data <file>", "concepts with paraphrases", bundled.llama.data)
    .option("--vocab-size <tokens>", "tokens in all, with 256 bytes and 3 special ones among them", wholeFrom(1), 1536)
    .option("--max-length <tokens>", "the longest sequence that the model takes", wholeFrom(1), 256)
    .action(run),
);
