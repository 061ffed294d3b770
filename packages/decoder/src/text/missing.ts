import type { Folder } from "@lethe/tensor";
import { hasFile } from "../checkpoint/files.ts";

/** Files from which `transformers` can make a `tokenizer.json`, and how. */
const convertible = [
  { files: ["tokenizer.model"], how: "AutoTokenizer, with sentencepiece and protobuf installed" },
  { files: ["vocab.json", "merges.txt"], how: "AutoTokenizer, or GPT2Tokenizer where that finds no class" },
];

/**
 * For an error: why a model has no tokenizer, and what to do.
 * @param label the name of the model
 * @param origin the directory that it was read from
 */
export async function whyNoText(label: string, origin: Folder | undefined): Promise<string> {
  if (!origin) return `${label} has no tokenizer: it was made without one. Give token ids instead of text.`;
  const has = (file: string) => hasFile(origin, file);
  if (await has("tokenizer.json"))
    return `${label} has no tokenizer here: it was loaded without the one in its directory ({ tokenizer: null }). Give token ids instead of text.`;
  for (const { files, how } of convertible) {
    if (!(await Promise.all(files.map(has))).every(Boolean)) continue;
    return (
      `${label} has no tokenizer.json, only ${files.join(" and ")}, from which \`transformers\` makes one. In Python (${how}): ` +
      "AutoTokenizer.from_pretrained(directory).save_pretrained(directory). Token ids work without one."
    );
  }
  return (
    `${label} has no tokenizer: looked for tokenizer.json, and for tokenizer.model or vocab.json and merges.txt to make one from. Copy ` +
    "tokenizer.json and tokenizer_config.json of its original model into its directory. Token ids work without one."
  );
}
