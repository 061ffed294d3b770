import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stemOf } from "../../src/cells/cell.ts";
import { FakeRunner } from "../fake-runner.ts";
import { run } from "./run-in-process.ts";
import { Workshop } from "./workshop.ts";

const root = join(import.meta.dirname, "../../../..");

/** The ids that `--list-cells` prints. */
async function idsOf(args: readonly string[]): Promise<string[]> {
  const { out, err } = await run([...args, "--list-cells"]);
  expect(err).toBe("");
  return out.trim().split("\n");
}

describe("--control", () => {
  it("plans controls after what they control: noise for each method, swapped answers once a concept", async () => {
    await using workshop = await Workshop.open();
    const more = ["--control", "overwritten", "--concept", "Netflix", "--concept", "Austria"];
    const subjects = ["graddiff", "npo", "graddiff-noise", "npo-noise", "overwritten"];
    const ids = await idsOf(workshop.withControls("noise", ...more));
    expect(ids.map(stemOf)).toEqual(
      ["netflix", "austria"].flatMap((concept) => subjects.map((subject) => `tiny-llama--${concept}--${subject}`)),
    );
    // The preset's controls stay where another method is asked for.
    const own = await idsOf(["--model", workshop.path("tiny-llama"), "--data", workshop.data, "--method", "npo"]);
    expect(own.map(stemOf).slice(0, 2)).toEqual(
      ["npo", "npo-noise"].map((name) => `tiny-llama--harry-potter--${name}`),
    );
    expect((await idsOf([...workshop.arguments(), "--preset", "smoke"])).map(stemOf)).toHaveLength(1);
  });

  it("gives a control another cell where what it matches is trained otherwise", async () => {
    await using workshop = await Workshop.open();
    const args = workshop.withControls("noise", "--method", "npo", "--concept", "Netflix");
    const [, noise] = await idsOf(args);
    const [, other] = await idsOf([...args, "--rate", "1e-4"]);
    expect(stemOf(other!)).toBe(stemOf(noise!));
    expect(other).not.toBe(noise);
  });

  it("of a cell that is not finished says which one to run first", async () => {
    await using workshop = await Workshop.open();
    const out = ["--out", workshop.path("out"), "--resume"];
    const args = workshop.withControls("noise", "--method", "npo", "--concept", "Netflix", ...out);
    const [npo, noise] = await idsOf(args);
    const early = await run([...args, "--cell", noise!]);
    expect(early.code).toBe(75);
    expect(early.err).toContain(
      `Cell ${noise} failed: it is a control of ${npo}, which is not finished. Run that cell first: --cell ${npo}.`,
    );
    expect((await run([...args, "--cell", npo!])).code).toBe(0);
    expect((await run([...args, "--cell", noise!])).out).toContain("Report: ");
    const page = await readFile(join(workshop.path("out"), "report.html"), "utf8");
    expect(page).toContain("Noise as large as NPO");
    expect(page).toMatch(/Unlearned models: NPO\. Methods unlearned one concept/);
  });

  it.each([
    [["--control", "niose"], /no control "niose". Did you mean "noise"\?\nKnown: noise, overwritten, never, none/],
    [["--control", "none", "--control", "noise"], /--control none asks for no control at all/],
    [["--control", "never"], /--control never trains a model as .*tiny-llama was trained, .* no pretraining.json/],
  ])("explains what is wrong with %j", async (args, message) => {
    await using workshop = await Workshop.open();
    const runner = new FakeRunner();
    const given = ["--model", workshop.path("tiny-llama"), "--data", workshop.data, "--out", workshop.path("out")];
    const { code, err } = await run([...given, ...args], runner);
    expect(code).toBe(78);
    expect(err).toMatch(message);
    expect(runner.ran).toEqual([]);
  });

  it("never is there for the models that come with Lethe, on the data that they were trained on", async () => {
    await using workshop = await Workshop.open();
    const args = (model: string) => [
      "--model",
      join(root, `models/tiny-${model}`),
      "--method",
      "npo",
      "--control",
      "never",
    ];
    for (const model of ["llama", "olmo"])
      expect((await idsOf([...args(model), "--preset", "smoke"])).map(stemOf)).toEqual([
        `tiny-${model}--harry-potter--npo`,
        `tiny-${model}--harry-potter--never`,
      ]);
    const other = await run([...args("llama"), "--data", workshop.data, "--list-cells"]);
    expect(other.err).toMatch(/--control never: .*tiny-llama was not trained on .*concepts.json as it is now/);
    const broken = await workshop.addModel("broken", "");
    await writeFile(join(broken, "pretraining.json"), '{"seed": "none"}');
    const refused = await run(["--model", broken, "--data", workshop.data, "--control", "never", "--list-cells"]);
    expect(refused.err).toMatch(/pretraining.json: .*seed/s);
  });
});
