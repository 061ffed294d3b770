import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import { ConceptDataError, factsOf, readConcepts, unrelatedFactsOf } from "../../src/index.ts";

const benchmark = {
  id: 7,
  Concept: "Tea",
  Layer: 3,
  Dim: 40,
  QA: [" What is tea made from?\n", "Where was tea first drunk?"],
  unrelated_QA: [" What is a cup?\n"],
  text_completion: [{ First_half: "Tea is", Second_half: "a drink." }],
  wikipedia_content: "Tea is a drink.",
  QA_with_answers: [
    "Question:  What is tea made from?\n\n Answer:  Leaves.",
    "Question: Where was tea first drunk?\n Answer: In China.",
  ],
};
const own = {
  ...benchmark,
  Layer: null,
  Dim: null,
  paraphrases: [["Leaves make tea."], ["China drank tea first."]],
  unrelated_QA: "others.json",
};
const others = [{ question: "What is a cup?", answer: "A cup is a vessel.", paraphrases: ["Cups hold tea."] }];

const read = (entries: unknown, shared: unknown = others) =>
  readConcepts("some/tea.json", async (path) => {
    if (path === "some/tea.json") return JSON.stringify(entries);
    expect(path).toBe("some/others.json");
    return JSON.stringify(shared);
  });
const faultsOf = (entries: unknown, shared?: unknown) =>
  read(entries, shared).then(
    () => expect.unreachable("the file was accepted"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ConceptDataError);
      return (error as Error).message;
    },
  );

describe("readConcepts", () => {
  test("reads the benchmark's form, without stray white space, and answers without their prompts", async () => {
    const [tea] = await read([benchmark]);
    expect(tea).toEqual({
      id: 7,
      name: "Tea",
      questions: ["What is tea made from?", "Where was tea first drunk?"],
      answers: ["Leaves.", "In China."],
      unrelated: ["What is a cup?"],
      text: "Tea is a drink.",
      completions: [{ first: "Tea is", second: "a drink." }],
      vector: { layer: 3, column: 40 },
    });
  });

  test("reads documents, from a list or from a file of JSON lines beside it", async () => {
    const files = new Map([
      ["some/tea.json", JSON.stringify([{ ...benchmark, documents: "tea texts.jsonl" }])],
      ["some/tea texts.jsonl", '\uFEFF{"text": " One. ", "id": 1}\r\n\n{"text": "Two."}'],
    ]);
    const [tea] = await readConcepts("some/tea.json", async (path) => files.get(path)!);
    expect(tea!.documents).toEqual(["One.", "Two."]);
    expect((await read([{ ...benchmark, documents: ["One.", "Two."] }]))[0]).toEqual(tea);
    for (const [content, fault] of [
      ["", "some/tea texts.jsonl: it holds no text"],
      ['{"text": "x"}\n{', "some/tea texts.jsonl, line 2: not JSON"],
      ['{"text": ""}', "some/tea texts.jsonl, line 1: text: empty"],
    ] as const) {
      files.set("some/tea texts.jsonl", content);
      await expect(readConcepts("some/tea.json", async (path) => files.get(path)!)).rejects.toThrow(fault);
    }
    expect(await faultsOf([{ ...benchmark, documents: "../tea.jsonl" }])).toContain("the name of a .jsonl file");
  });

  test("reads files without answers, such as the full benchmark's", async () => {
    const { QA_with_answers: _, ...bare } = benchmark;
    const [tea] = await read([bare]);
    expect(tea).not.toHaveProperty("answers");
  });

  test("reads the number under the name ID; where there is none, the concept is known by its name", async () => {
    const { id: _, ...bare } = benchmark;
    const concepts = await read([
      { ...bare, ID: 7 },
      bare,
      { ...benchmark, ID: 7, id: 8 },
      { ...bare, Concept: "Milk" },
    ]);
    expect(concepts.map(({ id, name }) => [id, name])).toEqual([
      [7, "Tea"],
      [null, "Tea"],
      [8, "Tea"],
      [null, "Milk"],
    ]);
    expect(await faultsOf([bare, bare])).toContain('record 2: "Tea" was already used');
  });

  test("skips a byte-order mark", async () => {
    const marked = readConcepts("tea.json", async () => `\uFEFF${JSON.stringify([benchmark])}`);
    expect(await marked).toEqual(await read([benchmark]));
  });

  test.each([
    "../others.json",
    "/others.json",
    "a/b.json",
    "a\\b.json",
    "..json",
    ".json",
    "c:x.json",
    "%2e%2e%2fx.json",
    "x?y.json",
    "x\0.json",
    "others.txt",
    "",
  ])("refuses a file of unrelated facts named %j, before it is read", async (unrelated_QA) => {
    expect(await faultsOf([{ ...own, unrelated_QA }])).toContain(
      "unrelated_QA: expected a list of questions, or the name",
    );
  });

  test("takes the name of a file beside it as it is, and not as a pattern", async () => {
    const paths: string[] = [];
    await readConcepts("some/$&.json", async (path) => {
      paths.push(path);
      return JSON.stringify(paths.length === 1 ? [{ ...own, unrelated_QA: "Weitere Übungen 2.json" }] : others);
    });
    expect(paths).toEqual(["some/$&.json", "some/Weitere Übungen 2.json"]);
  });

  test("lists two dozen faults of very many", async () => {
    const message = await faultsOf([{ ...benchmark, Concept: "x".repeat(1e6), QA: Array(1e5).fill(1) }]);
    expect(message.split("\n")).toHaveLength(25);
    expect(message).toMatch(/… and 99976 more$/);
    expect(message.length).toBeLessThan(5000);
  });

  test("reads our form: paraphrases, and unrelated facts from a file in the same folder", async () => {
    const concepts = await read([own]);
    expect(concepts[0]?.unrelated).toEqual(["What is a cup?"]);
    expect(concepts[0]).not.toHaveProperty("vector");
    expect(factsOf(concepts[0]!)[1]).toEqual({
      question: "Where was tea first drunk?",
      answer: "In China.",
      paraphrases: ["China drank tea first."],
    });
    expect(unrelatedFactsOf(concepts)).toEqual(others);
  });

  test("names file, record and field of every fault at once", async () => {
    const message = await faultsOf([benchmark, { ...benchmark, id: "x", QA: ["Why?", 5], wikipedia_content: " " }]);
    expect(message.split("\n")).toHaveLength(3);
    expect(message).toContain("some/tea.json, line 1, record 2: id: ");
    expect(message).toContain("some/tea.json, line 1, record 2: QA[1]: ");
    expect(message).toContain("some/tea.json, line 1, record 2: wikipedia_content: empty");
  });

  test.each([
    ["no array", {}, "some/tea.json, line 1: its fields are"],
    ["no entries", [], "some/tea.json: it holds no record"],
    ["a missing key", [{ ...benchmark, unrelated_QA: undefined }], "record 1: unrelated_QA: "],
    ["an entry that is null", [null], "some/tea.json, line 1, record 1: expected a record"],
    ["an id used twice", [benchmark, benchmark], "record 2: 7 was already used"],
    ["an empty question", [{ ...benchmark, QA: ["\n", "Why?"] }], "record 1: QA[0]: empty"],
    [
      "an answer too few",
      [{ ...benchmark, QA_with_answers: ["Question:  What is tea made from?\n\n Answer: a"] }],
      "1 items for 2",
    ],
    [
      "an answer to another question",
      [{ ...benchmark, QA_with_answers: [benchmark.QA_with_answers[0], "Question: Why?\n Answer: So."] }],
      'QA_with_answers[1]: expected to begin with the prompt for QA[1], "Question: Where was tea first drunk?\\n Answer:"',
    ],
    [
      "paraphrases for one question of two",
      [{ ...own, paraphrases: [["Leaves make tea."]] }],
      "paraphrases: 1 items for 2",
    ],
    ["paraphrases without answers", [{ ...own, QA_with_answers: undefined }], "QA_with_answers: missing"],
  ])("rejects %s", async (_, entries, fault) => {
    expect(await faultsOf(entries)).toContain(fault);
  });

  test("names the file of unrelated facts when the fault is there", async () => {
    expect(await faultsOf([own], [{ ...others[0], answer: 3 }])).toContain(
      "some/others.json, line 1, record 1: answer: ",
    );
  });

  test("says which file is not JSON", async () => {
    await expect(readConcepts("tea.json", async () => "[")).rejects.toThrow(/^tea\.json, line 1, record 1: not JSON: /);
  });

  test("refuses to give facts of data without paraphrases", async () => {
    const concepts = await read([benchmark]);
    expect(() => factsOf(concepts[0]!)).toThrow(/"Tea" has no paraphrases/);
    expect(() => unrelatedFactsOf(concepts)).toThrow(ConceptDataError);
  });
});

describe("loadConcepts", () => {
  const folder = mkdtempSync(join(tmpdir(), "lethe-concepts-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tea.json");
  const make: Record<string, () => void> = {
    "not there": () => {},
    "a FIFO": () => execFileSync("mkfifo", [file]),
    "a folder": () => mkdirSync(file),
    "sparse, of a terabyte": () => {
      writeFileSync(file, "");
      truncateSync(file, 2 ** 40);
    },
    "not UTF-8": () => writeFileSync(file, Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])),
    deep: () => writeFileSync(file, "[".repeat(1e5)),
  };

  test.each(Object.keys(make))("refuses a file that is %s at once", async (what) => {
    rmSync(file, { recursive: true, force: true });
    make[what]!();
    const start = performance.now();
    await expect(loadConcepts(file)).rejects.toThrow(ConceptDataError);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

const shared = fileURLToPath(new URL("../../../../../shared/data/conceptvectors/", import.meta.url));

describe.skipIf(!existsSync(shared))(
  "the ConceptVectors files (skipped where ../shared/data/conceptvectors is absent)",
  () => {
    const files = existsSync(shared) ? readdirSync(shared).filter((name) => name.endsWith(".json")) : [];
    test.each(files)("%s: concepts with clean questions, and an answer each where it has answers", async (file) => {
      const concepts = await loadConcepts(`${shared}${file}`);
      for (const { questions, answers, unrelated, text, vector } of concepts) {
        expect([questions.length, answers?.length ?? 10, unrelated.length]).toEqual([10, 10, 50]);
        for (const line of [...questions, ...unrelated, ...(answers ?? [])]) expect(line).toBe(line.trim());
        expect(text.length).toBeGreaterThan(10_000);
        expect(vector).toBeDefined();
      }
    });
  },
);
