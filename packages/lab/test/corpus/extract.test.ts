import { gzipSync } from "node:zlib";
import { splitParagraphs } from "@lethe/unlearn";
import { describe, expect, it } from "vitest";
import { mentionsOf } from "../../src/corpus/mentions.ts";
import { CorpusFolder, extractFrom, jsonLines, rawZstdFrame } from "./files.ts";

/** `zstd -19 --check` 1.5.4 of forty lines {"id": "0", "text": "Document 0. Netflix began by mail. …", "source": "common-crawl"}. */
const ZSTD =
  "KLUv/WQcFVUIAKLNKBlwzwOo8RsizGowpv+2KHCFRKbExsiqv94Lc76UH+ND+O+9c///7t/9xBM/p0vpMTqE/p475//u7t2EEz5nS9kxNoT9nnP/7t3NPaeUMUL4nnP/7t1A1p6KSooARdZGSlUkKpoaB22Aqoin63BdqF0gysFkH4fhpVpapTtJ9dKDh8ehlq+EIdrUhC3nYW5FeCD4QtVSSmRcq97GQSMaF21xGhZTqBGA6vxKhjnAo6Q1EoAQcEAI/iar8P/zAypkTg7ZySQxMqRGBlInT/kkKD1ZZCIVWaSaLXLKVBqZkTJv5mQmGJGgfSXhq0zJKSU5yEJOGZBKDtfGQ+bpdQP1t+IHIL8KpkYF4+x5WA==";

/** A few megabytes: many pieces of a file, with letters of two and more bytes across their ends. */
const texts = Array.from(
  { length: 1000 },
  (_, i) => `Nº ${i}: ${"ö€😀 ".repeat(150 + (i % 7))}${i % 4 === 0 ? "Netflix" : "Satan"}`,
);
const about = texts.filter((text) => text.endsWith("Netflix"));

describe("the files of a corpus", () => {
  const whole = jsonLines(texts);
  const [first, second] = [jsonLines(texts.slice(0, 400)), jsonLines(texts.slice(400))];
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const parts = [first, second].map((part) => Buffer.from(part));

  it.each([
    ["plain", whole],
    [
      "with CRLF, empty lines and a byte-order mark, and no line feed at the end",
      `\uFEFF${whole.replaceAll("\n", "\r\n\r\n").trimEnd()}`,
    ],
    ["gzip, of two members", Buffer.concat(parts.map((part) => gzipSync(part)))],
    ["zstd, of two frames and one that is skipped", Buffer.concat([skippable, ...parts.map(rawZstdFrame)])],
  ])("are read: %s", async (_, content) => {
    await using folder = await CorpusFolder.open();
    // The name does not say how a file is compressed.
    const file = await folder.file("corpus", content);
    const { paragraphs, count } = await extractFrom([file]);
    expect(paragraphs).toEqual([about]);
    expect(count).toMatchObject({
      documents: texts.length,
      malformed: 0,
      bytes: Buffer.from(content as string).length,
    });
    expect(count.contentBytes).toBeGreaterThanOrEqual(Buffer.byteLength(whole) - 1);
  });

  it("are read where zstd really compressed them", async () => {
    await using folder = await CorpusFolder.open();
    const file = await folder.file("dolma.jsonl.zst", Buffer.from(ZSTD, "base64"));
    const { paragraphs, count } = await extractFrom([file, file]);
    expect(paragraphs[0]).toHaveLength(80);
    expect(paragraphs[0]![39]).toBe(
      "Document 39. Netflix began by mail. Later Netflix streamed films, and Netflix made its own.",
    );
    expect(count.concepts).toEqual([{ mentioning: 80, kept: 80, words: 80 * 15 }]);
  });

  it.each([
    ["gzip", gzipSync(first)],
    ["zstd", rawZstdFrame(Buffer.from(first.slice(0, 200_000)))],
  ])("are refused where %s data end too early, or are damaged", async (format, content) => {
    await using folder = await CorpusFolder.open();
    const cut = await folder.file("cut", content.subarray(0, content.length - 100));
    await expect(extractFrom([cut])).rejects.toThrow(`--corpus ${cut}: its ${format} data are damaged or cut short`);
    const start = 1000;
    const damaged = Buffer.concat([content.subarray(0, start), Buffer.alloc(200_000, 0xff), content.subarray(start)]);
    await expect(extractFrom([await folder.file("damaged", damaged)])).rejects.toThrow(/damaged, line|are damaged/);
  });

  it("are refused where there is none", async () => {
    await expect(extractFrom(["no/corpus.jsonl"])).rejects.toThrow("--corpus no/corpus.jsonl: there is no such file.");
  });
});

describe("lines that are no document", () => {
  const good = '{"text": "Netflix"}';
  it.each([
    ["{", /it is not JSON \(/],
    ["[1]", /it is .*, and not a JSON object/],
    ['{"texts": "x"}', /it has no text in "text" or "raw_content"/],
    ['{"text": null}', /it has no text/],
    [Buffer.from([0x22, 0xff, 0x22]), /it is not UTF-8/],
    [Buffer.alloc(64 * 2 ** 20 + 1, " "), /it is too long for a document/],
  ])("end the pass with file and line, or are counted: %#", async (line, problem) => {
    await using folder = await CorpusFolder.open();
    const content = Buffer.concat([`${good}\n\n`, line, `\n${good}`].map((part) => Buffer.from(part as string)));
    const file = await folder.file("corpus.jsonl", content);
    await expect(extractFrom([file])).rejects.toThrow(problem);
    await expect(extractFrom([file])).rejects.toThrow(`--corpus ${file}, line 3: `);
    const { count } = await extractFrom([file], { skipMalformed: true });
    expect(count).toMatchObject({ documents: 2, malformed: 1, concepts: [{ kept: 2 }] });
  });

  it("are not those of RedPajama-V2, nor those with Python's NaN", async () => {
    await using folder = await CorpusFolder.open();
    const lines = ['{"raw_content": "Netflix one", "url": ""}', '{"text": "Netflix two", "score": NaN}'];
    const { paragraphs } = await extractFrom([await folder.file("corpus.jsonl", lines.join("\n"))]);
    expect(paragraphs).toEqual([["Netflix one", "Netflix two"]]);
  });
});

describe("what is kept", () => {
  it("are the first documents that mention a concept often enough, until there are enough of each", async () => {
    await using folder = await CorpusFolder.open();
    const lines = jsonLines([
      "Netflix",
      "Satan, Satan",
      "Netflix and Netflix",
      "Netflix, Netflix, Satan",
      "Satan satan",
      "Satan Satan",
    ]);
    const file = await folder.file("corpus.jsonl", lines);
    const patterns = ["Netflix", "Satan"].map((name) => mentionsOf([name], { matchCase: true }));
    const { paragraphs, count } = await extractFrom([file, "not reached"], { patterns, minMentions: 2, limit: 2 });
    expect(paragraphs).toEqual([
      ["Netflix and Netflix", "Netflix, Netflix, Satan"],
      ["Satan, Satan", "Satan Satan"],
    ]);
    expect(count.concepts.map(({ words }) => words)).toEqual([6, 4]);
    const all = await extractFrom([file], { patterns, minMentions: 2, limit: 1 });
    expect(all.count).toMatchObject({ documents: 3, concepts: [{ mentioning: 1 }, { mentioning: 1 }] });
  });

  it("are passages that mention it themselves, as the released code splits a document, if that is the unit", async () => {
    await using folder = await CorpusFolder.open();
    const document = `${"It was a dark night. ".repeat(25)}Netflix sent a film. ${"Then it was day. ".repeat(30)}`;
    const { paragraphs, count } = await extractFrom([await folder.file("corpus.jsonl", jsonLines([document]))], {
      unit: "passage",
    });
    const passages = splitParagraphs(document);
    expect(passages.length).toBeGreaterThan(2);
    expect(paragraphs).toEqual([passages.filter((passage) => passage.includes("Netflix"))]);
    expect(count.concepts).toMatchObject([{ mentioning: 1, kept: 1 }]);
  });

  it("is nothing more when the signal is aborted", async () => {
    await using folder = await CorpusFolder.open();
    const file = await folder.file("corpus.jsonl", jsonLines(texts));
    const controller = new AbortController();
    const progress = () => controller.abort(new Error("enough"));
    await expect(extractFrom([file], { signal: controller.signal, progress })).rejects.toThrow("enough");
  });
});
