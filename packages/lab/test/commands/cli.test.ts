import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stemOf } from "../../src/cells/cell.ts";
import { parseCell } from "../../src/cells/cell-file.ts";
import { FolderStore } from "../../src/cells/folder-store.ts";
import { presets } from "../../src/cells/presets.ts";
import type { CliParts } from "../../src/commands/experiment/cli-parts.ts";
import { studies } from "../../src/studies/list.ts";
import { FakeRunner } from "../fake-runner.ts";
import { words } from "../words-study.ts";
import { run } from "./run-in-process.ts";
import { Workshop } from "./workshop.ts";

/** The ids that `--list-cells` prints, without their hashes, or what it says is wrong. */
async function listed(...args: string[]): Promise<string[] | string> {
  const { out, err } = await run([...args, "--list-cells"]);
  return err || out.trim().split("\n").map(stemOf);
}

/** The configurations of all cells in a folder. */
async function configsIn(out: string) {
  const store = new FolderStore(out);
  const ids = await store.list("cells");
  return Promise.all(ids.map(async (id) => parseCell((await store.read("cells", id))!, id, studies).config));
}

describe("npm run experiment", () => {
  it("lists cells without opening a device", async () => {
    await using workshop = await Workshop.open();
    const unopened = {
      get adapter(): never {
        throw new Error("opened");
      },
    } as unknown as FakeRunner;
    const { code, out } = await run(workshop.arguments("--list-cells"), unopened);
    expect(code).toBe(0);
    const [first] = out.split("\n");
    expect(first).toMatch(/^tiny-llama--harry-potter--graddiff--[0-9a-f]{8}$/);
    const concepts = ["harry-potter", "netflix"];
    expect(out.trim().split("\n").map(stemOf)).toEqual(
      concepts.flatMap((concept) => ["graddiff", "npo"].map((method) => `tiny-llama--${concept}--${method}`)),
    );
    expect((await run(workshop.arguments("--list-cells", "--seed", "1"))).out).not.toContain(first);
  });

  it("gives the runner the place of the vanilla model, and refuses a study that needs it on the device", async () => {
    await using workshop = await Workshop.open();
    const places: unknown[] = [];
    const openRunner: CliParts["openRunner"] = async (_, options) => {
      places.push(options?.vanilla);
      return new FakeRunner();
    };
    const ran = async (...args: string[]) =>
      run(
        workshop.arguments("--out", workshop.path("out"), "--resume", ...args),
        undefined,
        studies,
        undefined,
        openRunner,
      );
    const [cell] = (await run(workshop.arguments("--study", "restoration", "--list-cells"))).out.split("\n") as [
      string,
    ];
    // The place is no part of the cells: the other cells are run with another one.
    expect(await ran("--study", "restoration", "--cell", cell)).toMatchObject({ code: 0 });
    expect(await ran("--vanilla", "streamed", "--study", "restoration")).toMatchObject({ code: 0 });
    expect(places).toEqual(["device", "streamed"]);
    const refused = await ran("--vanilla", "streamed", "--study", "depth");
    expect(refused).toMatchObject({ code: 78 });
    expect(refused.err).toContain("--study depth runs the vanilla model again and again");
    expect((await ran("--vanilla", "disk")).err).toContain("Allowed choices are device, streamed");
    expect(places).toHaveLength(2);
  });

  it("takes what the reference gives by its name", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    expect((await run(workshop.arguments("--out", out, "--references", "f16"))).code).toBe(0);
    for (const { subject } of await configsIn(out)) expect(subject).toMatchObject({ training: { references: "f16" } });
    expect((await run(workshop.arguments("--references", "f8"))).err).toContain(
      "Allowed choices are f32, f16, recomputed",
    );
  });

  it("lists two concepts for each model that comes with Lethe, with noise as a control, where nothing else is asked for", async () => {
    const subjects = ["graddiff", "npo", "graddiff-noise", "npo-noise"];
    const cells = (model: string, ...concepts: string[]) =>
      concepts.flatMap((concept) => subjects.map((subject) => `${model}--${concept}--${subject}`));
    expect(await listed()).toEqual([
      ...cells("tiny-llama", "harry-potter", "netflix"),
      ...cells("tiny-olmo", "harry-potter", "ebay"),
    ]);
  });

  it("takes a model's data by its family, and a concept to the models whose data hold it", async () => {
    await using workshop = await Workshop.open();
    const original = await workshop.addModel("original", "", { model_type: "hf_olmo", d_model: 4096 });
    const newer = await workshop.addModel("newer", "", { model_type: "olmo2", hidden_size: 64 });
    const models = [workshop.path("tiny-llama"), original, newer].flatMap((directory) => ["--model", directory]);
    const list = (...args: string[]) => listed(...models, "--method", "npo", "--control", "none", ...args);
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

  it("names a model of a Hugging Face cache after its repository", async () => {
    await using workshop = await Workshop.open();
    const cached = await workshop.addModel("hub/models--allenai--OLMo-1B/snapshots/0123abc", "");
    const args = ["--preset", "smoke", "--method", "npo", "--data", workshop.data];
    for (const model of [cached, `${cached}/`])
      expect(await listed(...args, "--model", model)).toEqual(["olmo-1b--harry-potter--npo"]);
  });

  it("trains by the published rate where none is on record, says so, and takes every field of a recipe", async () => {
    await using workshop = await Workshop.open();
    const trainings = async (...args: string[]) => {
      const out = workshop.path(`out${args.length}`);
      const { out: said } = await run(
        workshop.arguments("--concept", "Netflix", "--method", "npo", "--out", out, ...args),
      );
      return { said, training: (await configsIn(out)).map(({ subject }) => Object(subject).training) };
    };
    const published = await trainings();
    expect(published.said).toMatch(
      /^tiny-llama: no learning rate for npo is on record, .* published 1e-5, .* --find-rate looks for one/,
    );
    expect(published.training).toMatchObject([{ learningRate: 1e-5, epochs: 9, steps: null, checkpointing: true }]);
    const numbers = ["--rate", "2e-4", "--epochs", "3", "--steps", "9", "--steps-per-epoch", "4", "--batch-size", "2"];
    const more = ["--clip-norm", "0.5", "--beta2", "0.95", "--no-checkpointing", "--weight-decay", "0"];
    const { said, training } = await trainings(...numbers, ...more);
    expect(said).not.toContain("on record");
    const wanted = { learningRate: 2e-4, epochs: 3, steps: 9, stepsPerEpoch: 4, batchSize: 2, clipNorm: 0.5 };
    expect(training).toMatchObject([{ ...wanted, beta2: 0.95, checkpointing: false, weightDecay: 0 }]);
  });

  it.each([
    ["--rate", "0", /'--rate <number>' argument '0' is invalid. Too small: expected number to be >0/],
    ["--rate", "fast", /Expected a number/],
    ["--epochs", "1.5", /'--epochs <number>' argument '1.5' is invalid. .*expected int/],
    ["--epochs", "none", /invalid/],
    ["--beta1", "1", /Too big: expected number to be <1/],
  ])("refuses %s %s", async (option, value, message) => {
    const { code, err } = await run([option, value]);
    expect(code).toBe(78);
    expect(err).toMatch(message);
  });

  it("asks by the chat template where a model has one, and judges as it is told", async () => {
    await using workshop = await Workshop.open();
    const chat = await workshop.addModel("chat", "");
    await writeFile(join(chat, "tokenizer.json"), JSON.stringify({ model: {} }));
    await writeFile(join(chat, "chat_template.jinja"), "{{ messages[0].content }}");
    const out = workshop.path("out");
    const args = ["--model", chat, "--concept", "Netflix", "--method", "npo", "--resume", "--out", out];
    expect((await run(workshop.arguments(...args))).err).not.toContain("error");
    expect((await configsIn(out)).map(({ model, evaluation }) => [model.name, evaluation])).toEqual([
      [
        "chat",
        { ...presets.default.evaluation, prompt: "chat", judge: { name: "keywords", threshold: 0.5 }, known: false },
      ],
      ["tiny-llama", expect.objectContaining({ prompt: "qa" })],
    ]);
    const asked = ["--prompt", "Q: {question}\\nA:", "--judge", "rouge-l", "--judge-threshold", "0.3", "--known"];
    const own = workshop.path("own");
    const alone = ["--concept", "Netflix", "--method", "npo", "--least-questions", "2", "--out", own];
    expect((await run(workshop.arguments(...asked, ...alone))).err).not.toContain("error");
    expect((await configsIn(own))[0]!.evaluation).toMatchObject({
      prompt: "Q: {question}\nA:",
      judge: { name: "rouge-l", threshold: 0.3 },
      known: true,
      leastQuestions: 2,
    });
    expect(await listed(...workshop.arguments("--prompt", "chat"))).toMatch(
      /^error: --prompt chat: there is no chat template in .*tiny-llama, neither chat_template.jinja nor/,
    );
  });

  it("measures unlearned models that are given, beside the vanilla model they were made from", async () => {
    await using workshop = await Workshop.open();
    const given = ["first", "second"].map((name) => workshop.addModel(name, name));
    const unlearned = (await Promise.all(given)).flatMap((directory) => ["--unlearned", directory]);
    const args = workshop.arguments(...unlearned, "--concept", "Netflix");
    expect(await listed(...args)).toEqual(["tiny-llama--netflix--first", "tiny-llama--netflix--second"]);
    expect(await listed(...args, "--method", "npo")).toEqual([
      "tiny-llama--netflix--npo",
      "tiny-llama--netflix--first",
      "tiny-llama--netflix--second",
    ]);
    expect(await listed(...unlearned, "--data", workshop.data)).toMatch(/--unlearned needs the vanilla model.*--model/);
  });

  it("makes a subject for each part of the model that is to be trained, and shows it where it is not all", async () => {
    await using workshop = await Workshop.open();
    const args = workshop.arguments("--concept", "Netflix", "--method", "npo", "--out", workshop.path("out"));
    const parts = ["all", "W_V", "lora:8", "W_V"].flatMap((part) => ["--train", part]);
    const names = ["npo", "npo-w-v", "npo-lora-8"].map((name) => `tiny-llama--netflix--${name}`);
    expect(await listed(...args, ...parts)).toEqual(names);
    const { code, out: said } = await run([...args, ...parts]);
    expect(code).toBe(0);
    expect(said).toContain("no learning rate for npo lora:8 is on record, so it is the published 1e-5");
    const trained = (await configsIn(workshop.path("out"))).map(({ subject }) => Object(subject).train);
    expect(trained.sort()).toEqual(["W_V", "all", "lora:8"]);
    const page = await readFile(join(workshop.path("out"), "report.html"), "utf8");
    for (const title of ["NPO", "NPO, value vectors W_V", "NPO, LoRA of rank 8"])
      expect(page).toContain(`<th>tiny-llama · ${title}</th>`);
    expect(page).toContain('<th scope="row">train</th><td>—</td><td>W_V</td><td>lora:8</td>');
    expect(await readFile(join(workshop.path("out"), "krs.csv"), "utf8")).toContain(",npo lora:8,0,m,");
  });

  it("refuses to train a part that a model does not have before any model is loaded", async () => {
    const tiny = ["--concept", "Netflix", "--method", "npo", "--control", "none", "--model", "models/tiny-llama"];
    const list = (part: string) => listed(...tiny, "--train", part);
    expect(await list("needle:3.21")).toEqual(["tiny-llama--netflix--npo-needle-3-21"]);
    expect(await list("needle:12.0")).toMatch(
      /^error: needle 0 of layer 12: the model has layers 0 to 11, and value vectors 0 to \d+ in each\n$/,
    );
    expect(await list("needle:3.4000")).toContain("needle 4000 of layer 3: the model has layers 0 to 11");
  });

  it("runs a cell for each seed, one for each given model, and reports the mean of the seeds", async () => {
    await using workshop = await Workshop.open();
    const given = ["--unlearned", await workshop.addModel("first", "first")];
    const out = workshop.path("out");
    const args = (...seeds: string[]) => [
      ...workshop.arguments("--concept", "Netflix", "--method", "npo", "--out", out),
      ...seeds.flatMap((seed) => ["--seed", seed]),
    ];
    expect(await listed(...args("3", "1", "3"), ...given)).toEqual([
      ...["tiny-llama--netflix--npo", "tiny-llama--netflix--npo"],
      "tiny-llama--netflix--first",
    ]);
    expect(await listed("--preset", "paper", ...args())).toHaveLength(3);
    expect(await run(args("3", "1"))).toMatchObject({ code: 0 });
    const [, last] = (await run([...args("3", "1"), "--list-cells"])).out.split("\n");
    expect((await run([...args("3", "1"), "--resume", "--cell", last!])).out).toContain("2 of them finished before, 0");
    const more = await run([...args("3", "1", "0"), "--resume"]);
    expect(more.out).toContain("3 cells, 2 of them finished before, 1 to run.");
    expect((await configsIn(out)).map(({ seed }) => seed).sort()).toEqual([0, 1, 3]);
    const rows = (await readFile(join(out, "krs.csv"), "utf8")).trim().split("\n");
    expect(rows).toHaveLength(1 + 3 * 4 * 12 * 2 * 2);
    expect(new Set(rows.slice(1).map((row) => row.split(",")[3]))).toEqual(new Set(["0", "1", "3"]));
    const page = await readFile(join(out, "report.html"), "utf8");
    expect(page).toContain("<th>seeds</th><td>0; 1; 3</td>");
    expect(page).toContain("Netflix</strong>, NPO, tiny-llama, seed 1\n");
    const other = await run([...args("0"), "--resume"]);
    expect(other.err).toMatch(
      /left out of the report: tiny-llama--netflix--npo--\w{8}: seed is [13] in it and 0 now\n/,
    );
  });

  it("runs what it was asked for and writes every kind of result", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    const runner = new FakeRunner();
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
      ...["A", "m", "W_V-isolated"].flatMap((name) => ["--setting", name]),
      ...["restoration.windowRadius=1", "restoration.windowStride=2"].flatMap((option) => ["--option", option]),
    );
    const { code, out: printed, err } = await run(args, runner);
    expect(code).toBe(0);
    expect(err).toMatch(/tiny-llama--netflix--npo--[0-9a-f]{8}: a remark\n/);
    expect(err).toMatch(
      /BLEU target 1.00 → 0.02, unrelated 1.00 → 0.\d\d; highest KRS m 0.\d\d, A 0.\d\d, W_V-isolated/,
    );
    expect(runner).toMatchObject({ closed: 1, ran: ["tiny-llama--netflix--npo", "tiny-llama--austria--npo"] });
    expect(printed).toContain(`Report: ${join(out, "report.html")}`);
    expect((await configsIn(out))[1]).toMatchObject({
      seed: 7,
      model: { name: "tiny-llama" },
      concept: { id: 1, name: "Netflix" },
      subject: { kind: "unlearned", method: "npo", options: { beta: 0.1 }, retain: { name: "Harry Potter" } },
      studies: { restoration: { windowRadius: 1, windowStride: 2, settings: ["m", "A", "W_V-isolated"] } },
    });
    const [recorded] = await readdir(join(out, "runs"));
    const record = JSON.parse(await readFile(join(out, "runs", recorded!), "utf8"));
    expect(record).toMatchObject({ adapter: { name: "fake adapter" }, cellsRun: 2, cellsReused: 0, arguments: args });
    const [, netflix] = await readdir(join(out, "timings"));
    const timings = JSON.parse(await readFile(join(out, "timings", netflix!), "utf8"));
    expect(Object.keys(timings.stages)).toEqual(["starting", "unlearning", "restoring m"]);
  });

  it("runs any number of studies on one subject, and reports each", async () => {
    await using workshop = await Workshop.open();
    class WithWords extends FakeRunner {
      override async runCell(...given: Parameters<FakeRunner["runCell"]>) {
        const { subject, studies } = await super.runCell(...given);
        return { subject, studies: { ...studies, words: { words: [3, 4], epochs: [] } } };
      }
    }
    const asked = ["--concept", "Netflix", "--method", "npo", "--study", "words", "--study", "restoration"];
    const out = workshop.path("out");
    const { code, err } = await run(workshop.arguments(...asked, "--out", out), new WithWords(), [...studies, words]);
    expect(code, err).toBe(0);
    expect(err).toMatch(/; highest KRS m .*; 2 answers counted\n/);
    const page = await readFile(join(out, "report.html"), "utf8");
    for (const part of ["Recovery by layer", "Words were counted.", "<p>3, 4</p>", "Words are not knowledge."])
      expect(page).toContain(part);
    expect(await readFile(join(out, "words.txt"), "utf8")).toBe("Netflix\n");
  });

  it("takes every study for --study all, whatever else is named, as if each was named", async () => {
    await using workshop = await Workshop.open();
    const cells = async (...names: string[]) => {
      const asked = names.flatMap((name) => ["--study", name]);
      return (await run(workshop.arguments("--list-cells", ...asked), new FakeRunner(), [...studies, words])).out;
    };
    const each = await cells(...studies.map(({ name }) => name), "words");
    expect(each).not.toBe(await cells("restoration"));
    expect(await cells("all")).toBe(each);
    expect(await cells("words", "all")).toBe(each);
  });

  it("runs given cells only, and writes the report with the last of them", async () => {
    await using workshop = await Workshop.open();
    const shared = workshop.arguments("--out", workshop.path("out"), "--resume", "--concept", "Austria");
    const [graddiff, npo] = (await run([...shared, "--list-cells"])).out.split("\n");
    const first = await run([...shared, "--cell", npo!]);
    expect(first.out).toContain("1 more to run before the report is written.\n");
    expect(first.out).not.toContain("Report:");
    const second = await run([...shared, "--cell", graddiff!]);
    expect(second.out).toContain("Report:");
    const alone = ["--method", "npo", "--concept", "Austria", "--out", workshop.path("alone")];
    expect((await run(workshop.arguments(...alone))).out).toContain("1 cell, 0 of them finished before, 1 to run.");
  });

  it("writes the report also where another run finished the other cells meanwhile", async () => {
    await using workshop = await Workshop.open();
    const shared = workshop.arguments("--out", workshop.path("out"), "--resume", "--concept", "Austria");
    const [graddiff, npo] = (await run([...shared, "--list-cells"])).out.split("\n");
    const other = { out: "" };
    class Interleaved extends FakeRunner {
      override async runCell(...given: Parameters<FakeRunner["runCell"]>) {
        Object.assign(other, await run([...shared, "--cell", graddiff!]));
        return super.runCell(...given);
      }
    }
    const { out } = await run([...shared, "--cell", npo!], new Interleaved());
    expect(other.out).toContain("1 more to run");
    expect(out).toContain("Report:");
  });

  it.each([
    [
      ["--concept", "Hary Poter"],
      /no concept "Hary Poter".*Did you mean "Harry Potter"\?\nKnown: Harry Potter, Netflix, Austria, Star Wars/,
    ],
    [["--concept", "Quantum chromodynamics"], /no concept "Quantum chromodynamics" in [^?]*$/],
    [["--method", "gradiff"], /no method "gradiff"; "graddiff" comes nearest/],
    [["--study", "restoraton"], /no study "restoraton". Did you mean "restoration"\?\nKnown: restoration,.*, all\./],
    [
      ["--setting", "m-isolate"],
      /no setting "m-isolate". Did you mean "m-isolated"\?\nKnown: m, W_V, A, m\+A, m-isolated/,
    ],
    [["--option", "restoration.windowRadius"], /expected STUDY.NAME=VALUE.*restoration.windowRadius=2/],
    [["--option", "depth.layerStride=2"], /no study "depth".* --study asks for others/],
    [["--option", "restoration.radius=2"], /no option of restoration "radius"\.\nKnown: windowRadius/],
    [["--option", "restoration.windowStride=0"], /--option restoration.windowStride=0: .*>=1/],
    [["--judge", "rouge"], /no judge "rouge"; "rouge-l" comes nearest. The judges are exact, keywords, rouge-l/],
    [["--judge-threshold", "50"], /Expected a number from 0 to 1/],
    [["--prompt", "Q: {q}"], /Expected qa, chat, or a text with \{question\}/],
    [["--least-questions", "0"], /Expected a whole number from 1/],
    [["--preset", "papr"], /no preset "papr". Did you mean "paper"\?/],
    [["--seed", "1.5"], /Expected a whole number/],
    [["--train", "w_v"], /'--train <part>' argument 'w_v' .*expected all, W_V, needle:LAYER.DIM or lora:RANK/],
    [["--cell", "a--b--c"], /--cell a--b--c is not part of this experiment/],
    [["--modle", "x"], /unknown option '--modle'.*Did you mean --model/s],
    [["Harry"], /too many arguments/],
    [["--model", ""], /option '--model <model>' argument '' is invalid. It is empty/],
  ])("explains what is wrong with %j", async (args, message) => {
    await using workshop = await Workshop.open();
    const runner = new FakeRunner();
    const { code, err } = await run(workshop.arguments("--out", workshop.path("out"), ...args), runner);
    expect(code).toBe(78);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(runner.ran).toEqual([]);
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
    const notes = workshop.path("notes");
    await writeFile(notes, "a file");
    for (const args of [
      ["--out", notes],
      ["--out", join(notes, "out")],
      ["--resume", "--out", notes],
    ]) {
      const { err } = await run(workshop.arguments(...args));
      expect(err).toMatch(/^error: [^\n]*notes[^\n]*: \w+, a file lies where a folder should be.*\n$/);
    }
    const full = await run(workshop.arguments("--out", workshop.path("tiny-llama")));
    expect(full.err).toMatch(/is not empty. Add --resume/);
    const gone = await run([...workshop.arguments("--out", workshop.path("a")), "--data", workshop.path("gone.json")]);
    expect(gone.err).toMatch(/^error: .*gone.json: there is no such file\. Expected: [^\n]*\n$/);
    await writeFile(workshop.data, (await readFile(workshop.data, "utf8")).replace("Harry Potter", "Hogwarts"));
    const lacking = await run(workshop.arguments("--preset", "smoke", "--list-cells"));
    expect(lacking.err).toMatch(/concepts.json holds none of .* smoke preset.*\nKnown: Hogwarts, Netflix/);
    await writeFile(workshop.data, "[");
    const broken = await run(workshop.arguments("--out", workshop.path("a")));
    expect(broken.err).toMatch(/^error: .*concepts.json, line 1, record 1: not JSON: [^\n]*\n$/);
    await writeFile(workshop.data, "[]");
    expect((await run(workshop.arguments("--out", workshop.path("a")))).err).toMatch(/^error: .*concepts.json/);
    const otherFormat = await run(["--data", join(workshop.path("tiny-llama"), "config.json"), "--list-cells"]);
    expect(otherFormat.err).toMatch(
      /config.json, line 1: its fields are "model_type, vocab_size.*Expected a record of concept-vectors \(.*wmdp \(/,
    );
  });

  it("refuses two models of one name", async () => {
    await using workshop = await Workshop.open();
    const other = await workshop.addModel("others/tiny-llama", "other weights");
    expect(await listed(...workshop.arguments("--model", other))).toMatch(
      /Two cells are called tiny-llama--harry-potter--graddiff.*Rename one/,
    );
  });

  it("names the cell that failed and keeps those before it", async () => {
    await using workshop = await Workshop.open();
    const runner = new FakeRunner(0, "tiny-llama--netflix--graddiff");
    const { code, err } = await run(workshop.arguments("--out", workshop.path("out")), runner);
    expect(code).toBe(1);
    expect(err).toMatch(/Cell tiny-llama--netflix--graddiff--[0-9a-f]{8} failed: the loss is NaN at step 7/);
    expect(runner).toMatchObject({
      closed: 1,
      ran: ["tiny-llama--harry-potter--graddiff", "tiny-llama--harry-potter--npo"],
    });
  });

  it("prints its help", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("--list-cells");
    expect(out.replace(/\s+/g, " ")).toContain("npo: NPO (Zhang et al. 2024)");
  });
});
