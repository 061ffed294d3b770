import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadModel } from "@lethe/auto";
import { readText, type Text } from "@lethe/decoder";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import { attribute, PERTURBATIONS, promptWords } from "../../src/index.ts";

interface Case {
  readonly form: string;
  readonly question: string;
  readonly answer: number[];
  readonly prompt: number[];
  readonly words: number[][];
  readonly logProb: number;
  readonly delete: number[];
  readonly mask: number[];
}

const { cases, chat } = JSON.parse(await readFile(new URL("../golden/attribution.json", import.meta.url), "utf8"));
const device = await testDevice();

/** A model's tokenizer with the chat template of make_attribution.py. */
async function tokenizerOf(directory: string): Promise<Text> {
  const names = ["tokenizer.json", "tokenizer_config.json"];
  const files = names.map(async (name) => [name, await readFile(`${directory}/${name}`, "utf8")] as const);
  return (await readText(
    memoryFolder({ ...Object.fromEntries(await Promise.all(files)), "chat_template.jinja": chat }),
  ))!;
}

test.each(["llama", "olmo"])("words and contributions of tiny-%s agree with transformers", async (family) => {
  const directory = fileURLToPath(new URL(`../../../../models/tiny-${family}`, import.meta.url));
  using model = await loadModel(device, directory);
  const tokenizer = await tokenizerOf(directory);
  const wanted: Case[] = cases[family];
  const questions = await Promise.all(
    wanted.map(async ({ form, question, answer }) => ({ asked: await promptWords(tokenizer, question, form), answer })),
  );
  for (const [i, { asked }] of questions.entries()) {
    expect(asked.tokens).toEqual(wanted[i]!.prompt);
    expect(asked.words.map(({ tokens }) => tokens)).toEqual(wanted[i]!.words);
  }
  for (const perturbation of PERTURBATIONS) {
    const found = await attribute(model, questions, { perturbation });
    const within = { atol: 1e-4, rtol: 0, label: perturbation };
    for (const [i, one] of wanted.entries()) {
      expectClose(found[i]!.contributions, one[perturbation], within);
      expectClose([found[i]!.logProb], [one.logProb], within);
    }
  }
  // Far more than the tolerance, so that a word that is left where it was is seen.
  for (const one of wanted) expect(Math.max(...one.delete.map(Math.abs))).toBeGreaterThan(0.05);
});
