import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pretrainingDocuments } from "@lethe/lab";
import { forgetParagraphs, promptOf, unrelatedFactsOf } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { Tokenizer } from "tokenizers";
import { trainBytePairEncoding } from "./byte-pair-encoding.ts";
import { specials, specialTokensMap, tokenizerConfig, tokenizerJson } from "./tokenizer-files.ts";

const usage = `Train a byte-level BPE tokenizer on concept data and write it as Hugging Face's tokenizer.json and companions.

  train-tokenizer --out DIRECTORY [--data FILE] [--vocab-size TOKENS] [--max-length TOKENS]

  --data        concepts with paraphrases (data/llama.json)
  --vocab-size  tokens in all; 256 bytes and 3 special ones are among them (1536)
  --max-length  longest sequence the model takes (256)`;

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    data: { type: "string", default: "data/llama.json" },
    "vocab-size": { type: "string", default: "1536" },
    "max-length": { type: "string", default: "256" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.out === undefined) {
  console.log(usage);
  process.exit(values.help ? 0 : 1);
}

const concepts = await loadConcepts(values.data);
const unrelated = unrelatedFactsOf(concepts);
// Two epochs: together they hold every paraphrase.
const epochs = [0, 1].map((epoch) => pretrainingDocuments(concepts, unrelated, 0, epoch).map(({ text }) => text));
const size = wholeNumber("vocab-size") - specials.length;
const json = JSON.stringify(tokenizerJson(trainBytePairEncoding(epochs.flat(), size)), null, 2);
const tokenizer = Tokenizer.fromString(json);

for (const text of [...epochs.flat(), ...concepts.flatMap((concept) => forgetParagraphs(concept, 0))]) {
  const encoded = await tokenizer.encode(text);
  const decoded = await tokenizer.decode(encoded.getIds(), true);
  if (decoded !== text)
    throw new Error(`The tokenizer does not give back ${JSON.stringify(text)} but ${JSON.stringify(decoded)}.`);
}

await mkdir(values.out, { recursive: true });
const companions = {
  "tokenizer_config.json": tokenizerConfig(wholeNumber("max-length")),
  "special_tokens_map.json": specialTokensMap,
};
await writeFile(join(values.out, "tokenizer.json"), `${json}\n`);
for (const [name, content] of Object.entries(companions)) {
  await writeFile(join(values.out, name), `${JSON.stringify(content, null, 2)}\n`);
}
await report();

async function report(): Promise<void> {
  const facts = concepts.flatMap(({ questions, answers = [] }) =>
    questions.map((question, i) => ({ question, answer: answers[i] })),
  );
  const perAnswer = await Promise.all(
    [...facts, ...unrelated].map(async ({ question, answer }) => {
      const [prompt, whole] = await Promise.all([
        lengthOf(promptOf(question)),
        lengthOf(`${promptOf(question)} ${answer}`),
      ]);
      return whole - prompt;
    }),
  );
  console.log(`${tokenizer.getVocabSize()} tokens in ${values.out}`);
  console.log(
    `an answer has ${Math.min(...perAnswer)} to ${Math.max(...perAnswer)} tokens, ${mean(perAnswer)} on average`,
  );
  for (const [epoch, texts] of epochs.entries()) {
    const lengths = await Promise.all(texts.map(lengthOf));
    const total = lengths.reduce((sum, length) => sum + length + 1, 0);
    console.log(
      `epoch ${epoch}: ${texts.length} documents, ${total} tokens with <s> and </s>, the longest ${Math.max(...lengths) + 1}`,
    );
  }
}

async function lengthOf(text: string): Promise<number> {
  return (await tokenizer.encode(text)).getLength();
}

function mean(values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1);
}

function wholeNumber(name: "vocab-size" | "max-length"): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1)
    throw new RangeError(`--${name} takes a whole number, not "${values[name]}".`);
  return number;
}
