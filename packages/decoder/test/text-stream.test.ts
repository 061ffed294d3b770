import { memoryFolder } from "@lethe/testing/memory-folder";
import { integer, random, seed } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import { readText, type Text } from "../src/index.ts";
import { goldenFiles } from "./golden-text.ts";

async function pieces(text: Text, context: readonly number[], tokens: readonly number[]): Promise<string[]> {
  const stream = await text.decodeStream(context);
  const made: string[] = [];
  for (const token of tokens) made.push(await stream.step(token));
  return [...made, await stream.end()];
}

const llama2 = (await readText(memoryFolder(await goldenFiles("llama-2"))))!;
const llama3 = (await readText(memoryFolder(await goldenFiles("llama-3"))))!;
const byte = (value: number) => 3 + value;

describe.each(["llama-2", "llama-2-metaspace", "llama-3", "olmo"])("%s", async (name) => {
  const text = (await readText(memoryFolder(await goldenFiles(name))))!;
  const sentences = [
    "The cat sat on the mat.\n\n  Zürich, 東京 🙂👩🏿‍🚀!",
    "안녕 𠀀\n▁ a<s>b</s> <|eot_id|><|endoftext|>  x",
    "    return x  # é e\u0301 \ufffd\n",
  ];

  test.each(sentences)("the pieces of %j are the text", async (sentence) => {
    const ids = await text.encode(sentence);
    const whole = await text.decode(ids);
    for (let cut = 0; cut <= ids.length; cut++) {
      // If the prompt ends within a character, the stream begins with that character.
      const before = (await text.decode(ids.slice(0, cut))).replace(/\uFFFD+$/, "");
      expect(before + (await pieces(text, ids.slice(0, cut), ids.slice(cut))).join("")).toBe(whole);
    }
  });

  test("the pieces of random tokens are their text", async () => {
    for (let run = 0; run < 60; run++) {
      // Mostly bytes in both kinds of vocabulary, so that runs of bytes break in every way; some special tokens.
      const draw = () => (random() < 0.6 ? integer(0, 262) : integer(0, 490));
      const ids = Array.from({ length: integer(1, 40) }, draw);
      const got = (await pieces(text, [], ids)).join("");
      expect(got, `LETHE_TEST_SEED=${seed}, tokens ${ids}`).toBe(await text.decode(ids));
    }
  });
});

test("a character comes when it is whole, and a run of byte tokens when it has ended", async () => {
  const [, a] = await llama2.encode("a");
  expect(await pieces(llama2, [1, a!], [byte(0xf0), byte(0x9f), byte(0x99), byte(0x82), a!, a!])).toEqual([
    "",
    "",
    "",
    "",
    "🙂 a",
    " a",
    "",
  ]);
  // One wrong byte makes its whole run unreadable, even the line break before it.
  expect(await pieces(llama2, [1, a!], [byte(0x0a), byte(0xff), a!])).toEqual(["", "", "\ufffd\ufffd a", ""]);
  const emoji = await llama3.encode("🙂!", { special: false });
  expect((await pieces(llama3, [], emoji)).filter(Boolean)).toEqual(["🙂", "!"]);
});

test("text that was held back comes at the end", async () => {
  expect(await pieces(llama2, [1], [byte(0x41), byte(0xc3)])).toEqual(["", "", "\ufffd\ufffd"]);
  expect(await pieces(llama2, [1], [])).toEqual([""]);
});

test("a step decodes only a few tokens of a long text", async () => {
  const decoded: number[] = [];
  const { DecodeStream } = await import("../src/text/decode-stream.ts");
  const tokens = {
    decode: (ids: readonly number[]) => {
      decoded.push(ids.length);
      return llama3.decode(ids);
    },
    token: () => "",
  };
  const ids = await llama3.encode("The cat sat on the mat, and the rain came down. ".repeat(20));
  const stream = await DecodeStream.after(tokens, ids.slice(0, 100));
  for (const id of ids.slice(100)) await stream.step(id);
  expect(ids.length).toBeGreaterThan(400);
  expect(Math.max(...decoded.slice(4))).toBeLessThan(10);
});
