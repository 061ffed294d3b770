import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadConcepts } from "../../src/data/load.ts";
import {
  type Concept,
  ConceptDataError,
  type DataOptions,
  dataFormatNamed,
  dataFormats,
  forgetParagraphs,
  promptWithAnswer,
  readConcepts,
  retainConceptOf,
} from "../../src/index.ts";

/** Records as they are published, each with the fields of its data set and no others. */
const published = {
  tofu: [
    {
      question: "What is the author's name?",
      answer: "The author's name is Ada Quill.",
      paraphrased_answer: "Ada Quill is what the author is called.",
      perturbed_answer: ["The author is called Bo Nib.", "The author is called Cy Ink."],
      paraphrased_question: "What is the author called?",
    },
    {
      question: "Where was Ada Quill born?",
      answer: "Ada Quill was born in Oslo.",
      paraphrased_answer: "Oslo is where Ada Quill was born.",
      perturbed_answer: ["Rome is where Ada Quill was born.", "Lima is where Ada Quill was born."],
      paraphrased_question: "In which city was Ada Quill born?",
    },
  ],
  "muse-knowmem": [
    { question: "Who teaches flying?", answer: "Madam Hooch" },
    { question: "What is the owl called?", answer: "Hedwig" },
  ],
  "muse-verbmem": [
    { prompt: "The door opened, and", gt: "a cat came in." },
    { prompt: "He slept under the stairs\nwith the spiders", gt: ", and liked it." },
  ],
  wmdp: [
    { question: "What is water?", choices: ["A gas", "A liquid\r\n", "A metal", "A salt"], answer: 1 },
    { question: "What is salt?", choices: ["Iron", "Gold", "Air", "Sodium chloride"], answer: 3 },
  ],
};
const others = [
  { question: "What is a cup?", answer: "A vessel." },
  { question: "What is two and two?", answer: "Four." },
];

type Name = keyof typeof published;
const names = Object.keys(published) as Name[];
const layouts = {
  "an array": (records: readonly object[]) => JSON.stringify(records),
  "an array over many lines, with a byte-order mark and Windows' line ends": (records: readonly object[]) =>
    `\uFEFF${JSON.stringify(records, null, 2).replaceAll("\n", "\r\n")}\r\n`,
  "JSON lines": (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join(""),
  "JSON lines with a byte-order mark, Windows' line ends and empty lines": (records: readonly object[]) =>
    `\uFEFF\r\n${records.map((record) => JSON.stringify(record)).join("\r\n\r\n")}\r\n\r\n`,
};

/** Reads a file of this content beside one of unrelated questions. */
function read(content: string, options: DataOptions = { unrelated: "other.json" }, unrelated = JSON.stringify(others)) {
  const files = new Map([
    ["some/data.json", content],
    ["other.json", unrelated],
  ]);
  return readConcepts("some/data.json", async (path) => files.get(path)!, options);
}

async function faultOf(...given: Parameters<typeof read>): Promise<string> {
  const error = await read(...given).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConceptDataError);
  return (error as Error).message;
}

/** The question of each answer: questions are in an order drawn by lot. */
const pairs = ({ questions, answers }: Concept) => Object.fromEntries(questions.map((q, i) => [q, answers![i]]));

describe.each(names)("%s", (name) => {
  test("is recognised, and read alike in every layout", async () => {
    const all = await Promise.all(Object.values(layouts).map((layout) => read(layout(published[name]))));
    for (const concepts of all) expect(concepts).toEqual(all[0]);
    expect(await read(JSON.stringify(published[name]), { format: name, unrelated: "other.json" })).toEqual(all[0]);
    const recognised = dataFormats.filter((format) => format.recognises(published[name][0]!)).map(({ name }) => name);
    expect(recognised).toContain(name);
    expect(recognised.filter((other) => other !== name)).toEqual(name === "muse-knowmem" ? ["tofu"] : []);
  });

  test("is one concept, named after the file, with unrelated questions and retain text from the second file", async () => {
    const [concept, ...more] = await read(JSON.stringify(published[name]));
    expect(more).toEqual([]);
    expect(concept).toMatchObject({ id: null, name: "data", completions: [] });
    expect(concept!.unrelated.toSorted()).toEqual(["What is a cup?", "What is two and two?"]);
    expect(Object.fromEntries(concept!.unrelatedFacts!.map(({ question, answer }) => [question, answer]))).toEqual({
      "What is a cup?": "A vessel.",
      "What is two and two?": "Four.",
    });
    expect(concept!.unrelatedFacts!.map(({ question }) => question)).toEqual(concept!.unrelated);
    const retain = retainConceptOf([concept!], 0);
    expect(retain.name).toBe("other");
    expect(forgetParagraphs(retain, 0)).toEqual(others.map((fact) => promptWithAnswer(fact.question, fact.answer)));
  });

  test("is refused without a second file, and the error says what to give", async () => {
    expect(await faultOf(JSON.stringify(published[name]), {})).toMatch(
      /^some\/data\.json holds what is to be forgotten, .*Give a second file of questions and answers.*--unrelated FILE/,
    );
  });

  const fields = Object.keys(published[name][0]!).filter((field) => !/^(paraphrased|perturbed)/.test(field));
  test.each(fields)("says on which line %s is missing, empty or of another kind", async (field) => {
    const record: Record<string, unknown> = { ...published[name][0] };
    const { [field]: _, ...without } = record;
    for (const bad of [without, { ...record, [field]: " " }, { ...record, [field]: { a: 1 } }]) {
      const records = [record, record, bad, record];
      expect(await faultOf(layouts["JSON lines"](records))).toMatch(
        new RegExp(`^some/data\\.json, line 3: ${field}: `),
      );
      const spread = JSON.stringify(records, null, 1);
      const line = spread.split("\n").flatMap((text, at) => (text === " {" ? [at + 1] : []))[2];
      expect(await faultOf(spread)).toMatch(new RegExp(`^some/data\\.json, line ${line}, record 3: ${field}: `));
      expect(await faultOf(JSON.stringify(records))).toMatch(
        new RegExp(`^some/data\\.json, line 1, record 3: ${field}`),
      );
    }
  });
});

test("a fact of TOFU has its paraphrased answer, and the questions are forgotten with their answers", async () => {
  const [concept] = await read(JSON.stringify(published.tofu));
  expect(pairs(concept!)).toEqual({
    "What is the author's name?": "The author's name is Ada Quill.",
    "Where was Ada Quill born?": "Ada Quill was born in Oslo.",
  });
  const born = concept!.questions.indexOf("Where was Ada Quill born?");
  expect(concept!.paraphrases![born]).toEqual(["Oslo is where Ada Quill was born."]);
  expect(forgetParagraphs(concept!, 3)).toEqual([
    "Question: What is the author's name?\n Answer: The author's name is Ada Quill.",
    "Question: Where was Ada Quill born?\n Answer: Ada Quill was born in Oslo.",
  ]);
  const fault = await faultOf(JSON.stringify([published.tofu[0], { ...published.tofu[1], perturbed_answer: "x" }]));
  expect(fault).toMatch(/^some\/data\.json, line 1, record 2: perturbed_answer: /);
});

test("TOFU's plain files need no choice between tofu and muse-knowmem, which read them alike; other fields may be there", async () => {
  const plain = published.tofu.map(({ question, answer }) => ({ question, answer, task_id: "1", option1: "x" }));
  const concepts = await read(layouts["JSON lines"](plain));
  expect(concepts[0]).not.toHaveProperty("paraphrases");
  for (const format of ["tofu", "muse-knowmem"])
    expect(await read(layouts["JSON lines"](plain), { format, unrelated: "other.json" })).toEqual(concepts);
});

test("a text of MUSE's verbmem goes on as it did, and is forgotten as running text", async () => {
  const [concept] = await read(JSON.stringify(published["muse-verbmem"]));
  expect(pairs(concept!)["The door opened, and"]).toBe("a cat came in.");
  expect(concept!.documents).toEqual([
    "The door opened, and a cat came in.",
    "He slept under the stairs\nwith the spiders, and liked it.",
  ]);
  expect(forgetParagraphs(concept!, 0)).toEqual([
    "The door opened, and a cat came in.",
    "He slept under the stairs with the spiders, and liked it.",
  ]);
});

test("a question of WMDP lists its choices, and the right one is the answer", async () => {
  const [concept] = await read(JSON.stringify(published.wmdp));
  expect(pairs(concept!)).toEqual({
    "What is water?\nA. A gas\nB. A liquid\nC. A metal\nD. A salt": "A liquid",
    "What is salt?\nA. Iron\nB. Gold\nC. Air\nD. Sodium chloride": "Sodium chloride",
  });
  for (const answer of [4, -1, 1.5, "B"])
    expect(await faultOf(layouts["JSON lines"]([published.wmdp[0]!, { ...published.wmdp[1], answer }]))).toMatch(
      /^some\/data\.json, line 2: answer: /,
    );
});

test("the first questions of a long file are from all of it, in an order that is always the same", async () => {
  const many = Array.from({ length: 40 }, (_, i) => ({ question: `Q${i}?`, answer: `A${i}.` }));
  const [concept] = await read(JSON.stringify(many));
  const first = concept!.questions.slice(0, 10).map((question) => Number(question.slice(1, -1)));
  expect(first.filter((i) => i < 20).length).toBeGreaterThan(2);
  expect(first.filter((i) => i >= 20).length).toBeGreaterThan(2);
  for (const [question, answer] of Object.entries(pairs(concept!)))
    expect(answer).toBe(question.replace(/Q(.*)\?/, "A$1."));
  expect(Object.keys(pairs(concept!))).toHaveLength(40);
  expect((await read(JSON.stringify(many)))[0]!.questions).toEqual(concept!.questions);
  expect(forgetParagraphs(concept!, 0)[39]).toBe("Question: Q39?\n Answer: A39.");
});

describe("which format a file has", () => {
  test("is decided by most of its records, so that a malformed one is found", async () => {
    const [good] = published.wmdp;
    const mixed = [published.tofu[0]!, good!, good!];
    expect(await faultOf(layouts["JSON lines"](mixed))).toMatch(/^some\/data\.json, line 1: choices: /);
  });

  test("is asked for where two formats fit and read it differently", async () => {
    const both = published["muse-verbmem"].map((record, i) => ({ ...record, ...published.wmdp[i] }));
    expect(await faultOf(JSON.stringify(both))).toBe(
      "some/data.json: its records have the fields of muse-verbmem and of wmdp. Say which format it is (the option format, or " +
        "--format NAME).",
    );
    for (const format of ["muse-verbmem", "wmdp"] as const) {
      const concepts = await read(JSON.stringify(both), { format, unrelated: "other.json" });
      expect(concepts).toEqual(await read(JSON.stringify(published[format])));
    }
  });

  test("is an error that names the fields where none fits, or where another was chosen", async () => {
    const fault = await faultOf(layouts["JSON lines"]([{ text: "x", label: 1 }]));
    expect(fault).toMatch(
      /^some\/data\.json, line 1: its fields are "text, label", which is no concept data\. Expected a record of concept-vectors \(/,
    );
    for (const { name, description } of dataFormats) expect(fault).toContain(`${name} (${description})`);
    expect(await faultOf(JSON.stringify(published.tofu), { format: "wmdp" })).toMatch(
      /^some\/data\.json, line 1, record 1: its fields are "question, answer, .*Expected a record of wmdp \(WMDP: [^)]*\)\. A file holds a JSON array of records, or one record a line\.$/,
    );
    // As a settings file is laid out: JSON, and no record of ours.
    expect(await faultOf(JSON.stringify({ model_type: "llama", layers: 2 }, null, 2))).toMatch(
      /^some\/data\.json, line 1: its fields are "model_type, layers", which is no concept data\. Expected a record of /,
    );
    expect(await faultOf(JSON.stringify({ data: published.tofu }))).toMatch(
      /its fields are "data", which is no concept data\. The list in its field "data" is: make that list a file of its own\. Expected/,
    );
    expect(await faultOf("")).toMatch(/^some\/data\.json: it holds no record\. Expected /);
  });

  test("has a name that is known, and an unknown one names the nearest", async () => {
    expect(dataFormats.map(({ name }) => name)).toEqual(["concept-vectors", ...names]);
    for (const { name } of dataFormats) expect(dataFormatNamed(name).name).toBe(name);
    await expect(read("[]", { format: "muse-knowmen" })).rejects.toThrow(
      'there is no format "muse-knowmen"; "muse-knowmem" comes nearest.',
    );
  });
});

describe("the second file", () => {
  const data = JSON.stringify(published.tofu);
  const benchmark = [{ Concept: "Tea", QA: ["Why?"], unrelated_QA: ["So?"], wikipedia_content: "Tea." }];

  test("may be of another format", async () => {
    const [concept] = await read(data, undefined, layouts["JSON lines"](published.wmdp));
    expect(concept!.unrelated.toSorted()[0]).toMatch(/^What is salt\?\nA\. Iron/);
    const unrelated = [{ ...others[0], paraphrases: ["Cups hold tea."] }];
    expect((await read(data, undefined, JSON.stringify(unrelated)))[0]!.unrelated).toEqual(["What is a cup?"]);
  });

  test("has no question of the first", async () => {
    const overlapping = [...others, { question: "Where was Ada Quill born?", answer: "Ada Quill was born in Oslo." }];
    expect(await faultOf(data, undefined, JSON.stringify(overlapping))).toBe(
      'other.json: 1 of its questions is to be forgotten with data, so cannot be retained: "Where was Ada Quill born?". Give a file of ' +
        "other questions.",
    );
  });

  test("has questions alone, and goes with data that have none", async () => {
    expect(await faultOf(data, undefined, JSON.stringify(benchmark))).toMatch(
      /^other\.json: expected questions and answers alone/,
    );
    expect(await faultOf(JSON.stringify(benchmark))).toMatch(/^some\/data\.json has unrelated questions of its own/);
    expect(await faultOf(data, undefined, `${JSON.stringify(others[0])}\n{"question": "Why?"}`)).toMatch(
      /^other\.json, line 2: answer: /,
    );
  });
});

test("ConceptVectors' form is read from JSON lines too", async () => {
  const entries = ["Tea", "Milk"].map((name) => {
    return {
      Concept: name,
      QA: [`What is ${name}?`],
      unrelated_QA: ["Why?"],
      wikipedia_content: `${name} is a drink.`,
    };
  });
  const concepts = await read(layouts["JSON lines"](entries), {});
  expect(concepts).toEqual(await read(JSON.stringify(entries), { format: "concept-vectors" }));
  expect(concepts.map(({ name }) => name)).toEqual(["Tea", "Milk"]);
});

describe("loadConcepts", () => {
  const folder = mkdtempSync(join(tmpdir(), "lethe-formats-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("reads both files from disk", async () => {
    const [data, unrelated] = [join(folder, "forget01.json"), join(folder, "retain99.jsonl")];
    writeFileSync(data, layouts["JSON lines"](published.tofu));
    writeFileSync(unrelated, layouts["JSON lines"](others));
    const [concept] = await loadConcepts(data, { unrelated });
    expect([concept!.name, concept!.retain!.name]).toEqual(["forget01", "retain99"]);
    await expect(loadConcepts(data, { unrelated: join(folder, "gone.json") })).rejects.toThrow(
      /gone\.json: there is no such file\. Expected: data in a format that Lethe reads \(concept-vectors, tofu, /,
    );
  });
});
