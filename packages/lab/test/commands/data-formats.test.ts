import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Concept } from "@lethe/unlearn";
import { loadConcepts } from "@lethe/unlearn/data/node";
import { describe, expect, it } from "vitest";
import type { CellResult } from "../../src/cells/cell.ts";
import { stemOf } from "../../src/cells/cell.ts";
import { parseCell } from "../../src/cells/cell-file.ts";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { FolderStore } from "../../src/cells/folder-store.ts";
import { runAudit } from "../../src/commands/audit/cli.ts";
import { studies } from "../../src/studies/list.ts";
import { FakeRunner } from "../fake-runner.ts";
import { printed } from "./printed.ts";
import { run } from "./run-in-process.ts";
import { Workshop } from "./workshop.ts";

const root = join(import.meta.dirname, "../../../..");
const tinyLlama = join(root, "models/tiny-llama");
const [first, ...others] = (await loadConcepts(join(root, "data/llama.json"))) as [Concept, ...Concept[]];

/** A concept's facts in TOFU's form, one record a line. Tiny-llama knows them. */
const tofu = ({ questions, answers, paraphrases }: Concept) =>
  questions
    .map((question, i) => {
      const paraphrased = { paraphrased_question: `Tell me: ${question}`, paraphrased_answer: paraphrases![i]![0] };
      return `${JSON.stringify({ question, answer: answers![i], ...paraphrased, perturbed_answer: ["No.", "Yes."] })}\n`;
    })
    .join("");

/** A workshop with a forget set and a retain set of ten questions each, and the arguments of an experiment with them. */
async function opened() {
  const workshop = await Workshop.open();
  const [data, unrelated] = [workshop.path("forget01.json"), workshop.path("retain99.json")];
  await writeFile(data, tofu(first));
  await writeFile(unrelated, tofu(others[0]!));
  return { workshop, data, unrelated };
}

async function resultsIn(out: string): Promise<CellResult[]> {
  const store = new FolderStore(out);
  const ids = await store.list("cells");
  return Promise.all(ids.map(async (id) => parseCell((await store.read("cells", id))!, id, studies)));
}

describe("an experiment on a question set", () => {
  it("is planned on a model that comes with Lethe, and has the one concept of the file", async () => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const args = ["--preset", "smoke", "--model", tinyLlama, "--data", data, "--list-cells"];
    for (const format of [[], ["--format", "tofu"]]) {
      const { out, err } = await run([...args, "--unrelated", unrelated, ...format]);
      expect(err).toBe("");
      expect(out.trim().split("\n").map(stemOf)).toEqual(["tiny-llama--forget01--npo"]);
    }
    const [named, other] = [
      ["--concept", "forget01"],
      ["--concept", "retain99"],
    ];
    expect((await run([...args, "--unrelated", unrelated, ...named!])).out).toMatch(/^tiny-llama--forget01--npo--/);
    expect((await run([...args, "--unrelated", unrelated, ...other!])).err).toMatch(
      /no concept "retain99".*\nKnown: forget01\./,
    );
  });

  it("has other cells where the second file is another", async () => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const args = ["--model", workshop.path("tiny-llama"), "--data", data, "--unrelated", unrelated, "--list-cells"];
    const before = (await run(args)).out;
    expect((await run(args)).out).toBe(before);
    await writeFile(unrelated, tofu(others[1]!));
    const after = (await run(args)).out;
    expect(after).not.toBe(before);
    expect(after.split("\n").map(stemOf)).toEqual(before.split("\n").map(stemOf));
  });

  it.each([
    [
      ["--format", "tofo"],
      /^error: there is no format "tofo"; "tofu" comes nearest\. The formats are concept-vectors, tofu, /,
    ],
    [["--format", "wmdp"], /forget01\.json, line 1: its fields are "question, answer, .*Expected a record of wmdp/],
    [["--target-questions", "0"], /Expected a whole number from 1/],
  ])("explains what is wrong with %j", async (more, message) => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const args = ["--model", workshop.path("tiny-llama"), "--data", data, "--unrelated", unrelated, "--list-cells"];
    const { code, err } = await run([...args, ...more]);
    expect([code, err]).toEqual([78, expect.stringMatching(message)]);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it("says which file is missing, and on which line a record is malformed", async () => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const args = ["--model", workshop.path("tiny-llama"), "--data", data, "--list-cells"];
    expect((await run(args)).err).toMatch(
      /^error: .*forget01\.json holds what is to be forgotten, .* or --unrelated FILE\)\.\n$/,
    );
    expect((await run([...args.slice(0, 2), "--unrelated", unrelated, "--list-cells"])).err).toMatch(
      /llama\.json has unrelated questions of its own, so there is no place for .*retain99\.json/,
    );
    const lines = (await readFile(data, "utf8")).split("\n");
    await writeFile(
      data,
      lines
        .with(3, "")
        .with(
          4,
          lines[4]!.replace('"answer"', () => '"anser"'),
        )
        .join("\r\n"),
    );
    const { code, err } = await run([...args, "--unrelated", unrelated]);
    expect(code).toBe(78);
    expect(err).toMatch(/^error: .*forget01\.json, line 5: answer: .*expected string.*\n$/);
  });

  it("may be an audit", async () => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const { texts, streams } = printed();
    const given = await workshop.addModel("forgetful", "forgetful");
    const args = ["--vanilla", workshop.path("tiny-llama"), "--unlearned", given, "--data", data, "--format", "tofu"];
    const parts = { studies, openRunner: async () => new FakeRunner(), loadConcepts, ...streams };
    expect(await runAudit([...args, "--unrelated", unrelated, "--control", "none", "--list-cells"], parts)).toBe(0);
    expect(texts.out.trim().split("\n").map(stemOf)).toEqual(["tiny-llama--forget01--forgetful"]);
  });

  it("retains the second file, and runs to its report on the device", async () => {
    const { workshop, data, unrelated } = await opened();
    await using _ = workshop;
    const out = workshop.path("out");
    const asked = ["--target-questions", "3", "--unrelated-questions", "4", "--study", "weights"];
    const args = ["--preset", "smoke", "--model", tinyLlama, "--data", data, "--unrelated", unrelated, "--out", out];
    const training = ["--method", "graddiff", "--steps", "1"];
    const ran = await run([...args, ...asked, ...training], await openDeviceRunner(studies));
    expect(ran.err).not.toContain("error");
    expect(ran.code).toBe(0);
    const { config, subject } = (await resultsIn(out))[0]!;
    expect(config).toMatchObject({
      concept: { id: null, name: "forget01" },
      subject: { method: "graddiff", retain: { id: null, name: "retain99" } },
      evaluation: { targetQuestions: 3, unrelatedQuestions: 4, leastQuestions: 3 },
    });
    const known = (count: number) => ({ asked: count, judged: count, right: count, compared: count });
    expect(subject.vanilla).toMatchObject({ target: known(3), unrelated: known(4) });
    // A question with its answer is a text of its own.
    expect(subject.texts).toMatchObject({ documents: null, paragraphs: 10 });
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("forget01");
  });
});
