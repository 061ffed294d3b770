import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cellPath, readCell } from "../../src/experiment/cell-file.ts";
import { FakeStudy } from "./fake-study.ts";
import { run } from "./run-in-process.ts";
import { Workshop } from "./workshop.ts";

describe("npm run experiment", () => {
  it("lists cells without opening a study or reading a model", async () => {
    await using workshop = await Workshop.open();
    const listed = await run(["--data", workshop.data, "--model", "nowhere/Tiny LLaMA", "--list-cells"], {
      get adapter(): never {
        throw new Error("opened");
      },
    } as unknown as FakeStudy);
    expect(listed.code).toBe(0);
    expect(listed.out.split("\n")).toEqual([
      "tiny-llama--harry-potter--graddiff",
      "tiny-llama--harry-potter--npo",
      "tiny-llama--netflix--graddiff",
      "tiny-llama--netflix--npo",
      "",
    ]);
  });

  it("lists two concepts for each model that comes with Lethe, where nothing else is asked for", async () => {
    const { out } = await run(["--list-cells"]);
    const cells = (model: string, ...concepts: string[]) =>
      concepts.flatMap((concept) => ["graddiff", "npo"].map((method) => `${model}--${concept}--${method}`));
    expect(out.trim().split("\n")).toEqual([
      ...cells("tiny-llama", "harry-potter", "netflix"),
      ...cells("tiny-olmo", "harry-potter", "ebay"),
    ]);
  });

  it("takes a model's data by its family, and a concept to the models whose data hold it", async () => {
    await using workshop = await Workshop.open();
    const original = await workshop.addModel("original", "", { model_type: "hf_olmo", d_model: 4096 });
    const newer = await workshop.addModel("newer", "", { model_type: "olmo2", hidden_size: 64 });
    const models = [workshop.path("tiny-llama"), original, newer].flatMap((directory) => ["--model", directory]);
    const list = async (...args: string[]) => {
      const { out, err } = await run([...models, "--method", "npo", "--list-cells", ...args]);
      return err || out.trim().split("\n");
    };
    expect(await list("--concept", "Olympic Games", "--concept", "netflix")).toEqual([
      "tiny-llama--netflix--npo",
      "original--olympic-games--npo",
      "newer--olympic-games--npo",
    ]);
    expect(await list("--preset", "smoke")).toEqual([
      "tiny-llama--harry-potter--npo",
      "original--harry-potter--npo",
      "newer--harry-potter--npo",
    ]);
    expect(await list("--data", workshop.data, "--concept", "Netflix")).toHaveLength(3);
    expect(await list("--concept", "Hary Poter")).toMatch(
      /no concept "Hary Poter" in data\/llama.json or data\/olmo.json. Did you mean "Harry Potter"\?\nKnown: .*Netflix.*Olympic Games/,
    );
  });

  it("names a model of a Hugging Face cache after its repository, however it is given", async () => {
    await using workshop = await Workshop.open();
    const cached = "hub/models--allenai--OLMo-1B/snapshots/0123abc";
    const args = ["--preset", "smoke", "--method", "npo", "--data", workshop.data, "--list-cells"];
    for (const model of ["allenai/OLMo-1B", cached, "hub/models--allenai--OLMo-1B/"])
      expect((await run([...args, "--model", model])).out).toBe("olmo-1b--harry-potter--npo\n");
  });

  it("trains each model by its family and its width", async () => {
    await using workshop = await Workshop.open();
    await workshop.addModel("tiny-llama", "", { model_type: "hf_olmo", d_model: 64 });
    const large = await workshop.addModel("large", "", { model_type: "hf_olmo", d_model: 4096 });
    const out = workshop.path("out");
    const args = ["--model", large, "--concept", "Netflix", "--method", "npo", "--out", out];
    expect((await run(workshop.arguments(...args))).err).not.toContain("error");
    const recipes = ["tiny-llama", "large"].map(async (model) => {
      return (await readCell(cellPath(out, `${model}--netflix--npo`))).config.recipe;
    });
    expect(await Promise.all(recipes)).toEqual(["tiny-olmo", "released"]);
  });

  it("runs what it was asked for and writes every kind of result", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    const study = new FakeStudy();
    const args = workshop.arguments(
      "--out",
      out,
      "--concept",
      "netflix",
      "--concept",
      "2",
      "--method",
      "npo",
      "--seed",
      "7",
    );
    const { code, out: printed, err } = await run(args, study);
    expect(code).toBe(0);
    expect(err).toContain("tiny-llama--netflix--npo: a remark\n");
    expect(study).toMatchObject({ closed: 1, ran: ["tiny-llama--netflix--npo", "tiny-llama--austria--npo"] });
    expect(printed).toContain(`Report: ${join(out, "report.html")}`);
    const { config } = await readCell(cellPath(out, "tiny-llama--netflix--npo"));
    expect(config).toMatchObject({
      seed: 7,
      preset: "default",
      recipe: "tiny-llama",
      model: { name: "tiny-llama" },
      concept: { id: 1, name: "Netflix" },
      retain: { name: "Harry Potter" },
    });
    const record = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
    expect(record).toMatchObject({ adapter: { name: "fake adapter" }, cellsRun: 2, cellsReused: 0, arguments: args });
    const timings = JSON.parse(await readFile(join(out, "timings", "tiny-llama--netflix--npo.json"), "utf8"));
    expect(Object.keys(timings.stages)).toEqual(["starting", "unlearning", "restoring m"]);
  });

  it("runs given cells only, and writes the report with the last of them", async () => {
    await using workshop = await Workshop.open();
    const shared = workshop.arguments("--out", workshop.path("out"), "--resume", "--concept", "Austria");
    const first = await run([...shared, "--cell", "tiny-llama--austria--npo"]);
    expect(first.out).toContain("1 more to run before the report is written.\n");
    expect(first.out).not.toContain("Report:");
    const second = await run([...shared, "--cell", "tiny-llama--austria--graddiff"]);
    expect(second.out).toContain("Report:");
    const alone = ["--method", "npo", "--concept", "Austria", "--out", workshop.path("alone")];
    expect((await run(workshop.arguments(...alone))).out).toContain("1 cell, 0 of them finished before, 1 to run.");
  });

  it("writes the report also where another run finished the other cells meanwhile", async () => {
    await using workshop = await Workshop.open();
    const shared = workshop.arguments("--out", workshop.path("out"), "--resume", "--concept", "Austria");
    const other = { out: "" };
    class Interleaved extends FakeStudy {
      override async runCell(...given: Parameters<FakeStudy["runCell"]>) {
        Object.assign(other, await run([...shared, "--cell", "tiny-llama--austria--graddiff"]));
        return super.runCell(...given);
      }
    }
    const { out } = await run([...shared, "--cell", "tiny-llama--austria--npo"], new Interleaved());
    expect(other.out).toContain("1 more to run");
    expect(out).toContain("Report:");
  });

  it.each([
    [
      ["--concept", "Hary Poter"],
      /no concept "Hary Poter".*Did you mean "Harry Potter"\?\nKnown: Harry Potter, Netflix, Austria, Star Wars/,
    ],
    [["--concept", "Quantum chromodynamics"], /no concept "Quantum chromodynamics" in [^?]*$/],
    [["--method", "gradiff"], /no method "gradiff". Did you mean "graddiff"\?/],
    [["--preset", "papr"], /no preset "papr". Did you mean "paper"\?/],
    [["--seed", "1.5"], /Expected a whole number/],
    [["--cell", "a--b--c"], /--cell a--b--c is not part of this experiment/],
    [["--modle", "x"], /unknown option '--modle'.*Did you mean --model/s],
    [["Harry"], /too many arguments/],
  ])("explains what is wrong with %j", async (args, message) => {
    await using workshop = await Workshop.open();
    const study = new FakeStudy();
    const { code, err } = await run(workshop.arguments("--out", workshop.path("out"), ...args), study);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(study.ran).toEqual([]);
  });

  it("explains what is wrong with a model directory, a data file or a folder for results", async () => {
    await using workshop = await Workshop.open();
    const absent = await run([
      "--data",
      workshop.data,
      "--model",
      workshop.path("absent"),
      "--out",
      workshop.path("a"),
    ]);
    expect(absent.err).toMatch(/^error: .*absent is not there; expected a model's directory/);
    const empty = await run(["--data", workshop.data, "--model", workshop.folder, "--out", workshop.path("a")]);
    expect(empty.err).toMatch(/^error: .*there is no config.json in it/);
    const bare = await workshop.addModel("bare", "");
    await rm(join(bare, "model.safetensors"));
    const none = await run(["--data", workshop.data, "--model", bare, "--out", workshop.path("a")]);
    expect(none.err).toMatch(/^error: .*bare: there are no weights beside its config.json/);
    const other = await workshop.addModel("other", "", { model_type: "bert", hidden_size: 64 });
    expect((await run(["--model", other, "--list-cells"])).err).toMatch(
      /^error: .*other: config.json: model_type is "bert", which is not supported/,
    );
    const full = await run(workshop.arguments("--out", workshop.path("tiny-llama")));
    expect(full.err).toMatch(/is not empty. Add --resume/);
    const gone = await run([...workshop.arguments("--out", workshop.path("a")), "--data", workshop.path("gone.json")]);
    expect(gone.err).toMatch(/^error: .*gone.json: it cannot be read \(ENOENT[^\n]*\n$/);
    await writeFile(workshop.data, (await readFile(workshop.data, "utf8")).replace("Harry Potter", "Hogwarts"));
    const lacking = await run(workshop.arguments("--preset", "smoke", "--list-cells"));
    expect(lacking.err).toMatch(/concepts.json holds none of .* smoke preset.*\nKnown: Hogwarts, Netflix/);
    await writeFile(workshop.data, "[");
    const broken = await run(workshop.arguments("--out", workshop.path("a")));
    expect(broken.err).toMatch(/^error: .*concepts.json: not JSON: [^\n]*\n$/);
    await writeFile(workshop.data, "[]");
    expect((await run(workshop.arguments("--out", workshop.path("a")))).err).toMatch(/^error: .*concepts.json/);
  });

  it("refuses two models of one name", async () => {
    await using workshop = await Workshop.open();
    const other = await workshop.addModel("others/tiny-llama", "other weights");
    const { err } = await run(workshop.arguments("--model", other, "--list-cells"));
    expect(err).toMatch(/Two cells would be called tiny-llama--harry-potter--graddiff/);
  });

  it("names the cell that failed and keeps those before it", async () => {
    await using workshop = await Workshop.open();
    const study = new FakeStudy(0, "tiny-llama--netflix--graddiff");
    const { code, err } = await run(workshop.arguments("--out", workshop.path("out")), study);
    expect(code).toBe(1);
    expect(err).toContain("Cell tiny-llama--netflix--graddiff failed: the loss is NaN at step 7");
    expect(study).toMatchObject({
      closed: 1,
      ran: ["tiny-llama--harry-potter--graddiff", "tiny-llama--harry-potter--npo"],
    });
  });

  it("prints its help", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("--list-cells");
  });
});
