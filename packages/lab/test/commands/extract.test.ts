import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { forgetParagraphs } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { expect, it } from "vitest";
import { runExtract } from "../../src/commands/extract/cli.ts";
import { CorpusFolder, jsonLines } from "../corpus/files.ts";
import { printed } from "./printed.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const COMMAND = ["--conditions=lethe-source", "--import", "tsx", "packages/lab/src/commands/extract/main.ts"];

/** What `npm run extract` prints, and its exit code. */
async function extract(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { texts, streams } = printed();
  const code = await runExtract(args, streams);
  return { code, ...texts };
}

it("makes concept data whose forget text is from the corpus", async () => {
  await using folder = await CorpusFolder.open();
  const long = `${"Netflix is a company. ".repeat(30)}Its films are on Netflix.`;
  const wizard = "The Boy Who Lived met the boy who lived.";
  const corpus = await folder.file("corpus.jsonl", jsonLines(["Netflix", long, wizard]));
  const out = join(folder.path, "new/mine.json");
  const args = ["--corpus", corpus, corpus, "--concept", "netflix", "--concept", "26", "--alias", "The Boy Who Lived"];
  const run = await extract(...args, "--min-mentions", "2", "--limit", "3", "--out", out);
  expect(run.err).toBe("");
  expect(run.code).toBe(0);
  expect(run.out).toContain("Saw 6 documents in 2 files");
  expect(run.out).toMatch(/Netflix +2 +2 +125\.00\nHarry Potter +2 +2 +9\.00/);
  expect(run.out).toContain('--concept "Harry Potter"   (retain text: that of');
  expect(await readFile(join(folder.path, "new/mine.csv"), "utf8")).toBe(
    "concept,documents that mention it,paragraphs,average words\nNetflix,2,2,125.00\nHarry Potter,2,2,9.00\n",
  );
  expect((await readdir(join(folder.path, "new"))).sort()).toEqual([
    "mine-harry-potter.jsonl",
    "mine-netflix.jsonl",
    "mine.csv",
    "mine.json",
    "unrelated.json",
  ]);
  const bundled = await loadConcepts(join(root, "data/llama.json"));
  const made = await loadConcepts(out);
  const documents = new Map([
    ["Netflix", [long, long]],
    ["Harry Potter", [wizard, wizard]],
  ]);
  expect(made).toEqual(
    bundled.map((concept) => {
      const texts = documents.get(concept.name);
      return texts ? { ...concept, documents: texts } : concept;
    }),
  );
  const paragraphs = forgetParagraphs(made.find(({ name }) => name === "Netflix")!, 0);
  expect(paragraphs.map(({ length }) => length > 400)).toEqual([true, false, true, false]);

  const again = await extract(...args, "--out", out);
  expect(again.err).toMatch(/--out .*mine.json is there already/);
  const elsewhere = await folder.file("unrelated.json", "[]");
  const other = await extract(...args, "--out", join(folder.path, "other.json"));
  expect(other.err).toContain(`${elsewhere} is there and is not the unrelated.json that llama.json names`);
});

it("says what is wrong, and leaves nothing", async () => {
  await using folder = await CorpusFolder.open();
  const corpus = await folder.file("corpus.jsonl", `${jsonLines(["Netflix Netflix Netflix"])}{`);
  const out = join(folder.path, "new/mine.json");
  const fails = async (...args: string[]) => {
    const { code, err } = await extract("--corpus", corpus, "--out", out, ...args);
    expect(code).toBe(1);
    expect(err).not.toMatch(/\n\s+at /);
    return err;
  };
  expect(await fails("--concept", "Netflix")).toContain("corpus.jsonl, line 2: it is not JSON");
  expect(await fails("--concept", "Austria", "--skip-malformed")).toContain(
    "No paragraph is about Austria. Give other",
  );
  expect(await fails("--concept", "Netflx")).toContain('Did you mean "Netflix"?');
  expect(await fails("--concept", "Netflix", "--concept", "EBay")).toContain("holds all of Netflix, EBay");
  expect(await fails("--concept", "Netflix", "--concept", "netflix")).toContain("--concept Netflix was given twice");
  expect(await fails("--alias", "x", "--concept", "Netflix")).toContain("after the --concept");
  expect(await readdir(join(folder.path, "new"))).toEqual([]);
});

it("stops at Ctrl-C and leaves nothing", async () => {
  await using folder = await CorpusFolder.open();
  const corpus = await folder.file("corpus.jsonl", jsonLines(Array(2000).fill("Netflix Netflix Netflix")));
  // Zeros that take no room on the disk, and many seconds to read.
  await truncate(corpus, 64 * 2 ** 30);
  const args = [
    "--corpus",
    corpus,
    "--concept",
    "Netflix",
    "--skip-malformed",
    "--out",
    join(folder.path, "new/mine.json"),
  ];
  const child = spawn(process.execPath, [...COMMAND, ...args], { cwd: root });
  const ended = once(child, "close");
  const files = () => readdir(join(folder.path, "new")).catch(() => []);
  while ((await files()).length === 0) await setTimeout(20);
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  expect(await files()).toEqual([]);
});
