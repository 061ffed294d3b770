/**
 * A corpus that is larger than memory should need to be. It runs where LETHE_BIG_CORPUS says how many gigabytes, because it takes minutes:
 *
 *     LETHE_BIG_CORPUS=2 npx vitest run packages/lab/test/corpus/big.test.ts
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { randomOf } from "@lethe/tensor";
import { expect, it } from "vitest";
import { CorpusFolder, jsonLines } from "./files.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const gigabytes = Number(process.env.LETHE_BIG_CORPUS ?? 0);

/** What the command may take at its peak, of which Node with the program's modules is the larger part. */
const MOST_MEGABYTES = 500;

/** About 16 MB of documents of a thousand words; one in a hundred is about Netflix. It is written again and again. */
function chunk(): Buffer {
  const random = randomOf(1, "corpus");
  const letters = "abcdefghijklmnopqrstuvwxyzöé";
  const pick = (length: number) => Math.floor(random() * length);
  const word = () => Array.from({ length: 2 + pick(8) }, () => letters[pick(letters.length)]!).join("");
  const vocabulary = Array.from({ length: 20_000 }, word);
  const documents = Array.from({ length: 2300 }, (_, i) => {
    const words = Array.from({ length: 400 + pick(1200) }, () => vocabulary[pick(vocabulary.length)]!);
    return (i % 100 === 0 ? [...words, "Netflix, Netflix and Netflix"] : words).join(" ");
  });
  return Buffer.from(jsonLines(documents));
}

it.skipIf(gigabytes === 0).each([
  ["plain", (content: Buffer) => content],
  ["gzip", (content: Buffer) => gzipSync(content, { level: 6 })],
  ["zstd", (content: Buffer) => spawnSync("zstd", { input: content, maxBuffer: 2 ** 30 }).stdout],
])("is read in constant memory: %s", { timeout: 3_600_000 }, async (format, compress) => {
  await using folder = await CorpusFolder.open();
  const content = chunk();
  const times = Math.ceil((gigabytes * 1e9) / content.length);
  const corpus = join(folder.path, "corpus");
  const part = compress(content);
  await pipeline(Readable.from(Array(times).fill(part), { highWaterMark: 1 }), createWriteStream(corpus));
  const out = join(folder.path, "netflix.json");
  const command = ["--conditions=lethe-source", "--import", "tsx", "packages/lab/src/commands/extract/main.ts"];
  const args = [...command, "--corpus", corpus, "--concept", "Netflix", "--limit", "1000000", "--out", out];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const printed = text(child.stdout);
  let peak = 0;
  const watching = (async () => {
    while (child.exitCode === null) {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000);
      await setTimeout(100);
    }
  })();
  const [[code]] = await Promise.all([once(child, "close"), watching]);
  console.log(`${format}, peak of ${Math.round(peak)} MB: ${await printed}`);
  expect(code).toBe(0);
  expect(await printed).toContain(`Saw ${(2300 * times).toLocaleString("en-US")} documents`);
  expect(await printed).toMatch(new RegExp(`Netflix +${23 * times} +${23 * times} `));
  expect(peak).toBeLessThan(MOST_MEGABYTES);
});
