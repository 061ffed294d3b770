import { memoryFolder } from "@lethe/testing/memory-folder";
import { describe, expect, test } from "vitest";
import { ModelUseError, readText, textOf } from "../src/index.ts";

/** A directory with empty files of these names. */
const holding = (...files: string[]) => memoryFolder(Object.fromEntries(files.map((file) => [file, ""])));

test("a directory without tokenizer.json has no tokenizer, and that is not an error", async () => {
  expect(await readText(holding("tokenizer.model", "config.json"))).toBeUndefined();
});

describe("text for a model without a tokenizer: the error says what to do", () => {
  const convert = "AutoTokenizer.from_pretrained(directory).save_pretrained(directory). Token ids work without one.";
  test.each([
    ["a SentencePiece model", ["tokenizer.model"], `has no tokenizer.json, only tokenizer.model, from which`, convert],
    ["vocabulary and merges", ["vocab.json", "merges.txt"], "only vocab.json and merges.txt, from which", convert],
    [
      "a vocabulary alone",
      ["vocab.json"],
      "has no tokenizer: looked for tokenizer.json, and for",
      "Token ids work without one.",
    ],
    ["nothing", [], "has no tokenizer: looked for tokenizer.json, and for", "Token ids work without one."],
    [
      "a tokenizer that was not wanted",
      ["tokenizer.json"],
      "it was loaded without the one in its directory",
      "Give token ids instead of text.",
    ],
  ])("%s", async (_, files, why, advice) => {
    const asked = textOf({ text: undefined, label: "models/x", origin: holding(...files) });
    await expect(asked).rejects.toThrow(ModelUseError);
    await expect(asked).rejects.toThrow(why);
    await expect(asked).rejects.toThrow(advice);
    await expect(asked).rejects.toThrow(/^models\/x has no tokenizer/);
  });

  test("a model that was not loaded from a directory", async () => {
    const asked = textOf({ text: undefined, label: "llama", origin: undefined });
    await expect(asked).rejects.toThrow(
      "llama has no tokenizer: it was made without one. Give token ids instead of text.",
    );
  });
});
