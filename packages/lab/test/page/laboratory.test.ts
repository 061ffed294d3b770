import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderOf } from "@lethe/decoder";
import { filesFolder, openSafetensors } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/commands/experiment/cli.ts";
import { processParts } from "../../src/commands/experiment/process-parts.ts";
import { Laboratory } from "../../src/page/laboratory/laboratory.ts";
import type { InspectedToken, LabEvent } from "../../src/page/laboratory/messages.ts";
import type { Places } from "../../src/page/laboratory/places.ts";
import { after, begun } from "../../src/page/run.ts";
import { argumentsOf, settingsSchema } from "../../src/page/settings.ts";
import { printed } from "../commands/printed.ts";

const root = join(import.meta.dirname, "../../../..");
const inRoot = (path: string) => readFileSync(join(root, path), "utf8");

/** The bundled files, from the disk. */
const places: Pick<Places, "model" | "text" | "bundled"> = {
  model: async (name) => folderOf(join(root, "models", name)),
  text: async (path) => inRoot(path),
  bundled: async () => ({ models: {}, recipes: readdirSync(join(root, "data/recipes")) }),
};

const settings = settingsSchema.parse({ epochs: 1, controls: [] });

describe("the laboratory of the page, in Node", () => {
  let laboratory: Laboratory;
  const events: LabEvent[] = [];
  beforeAll(async () => {
    laboratory = new Laboratory(places, await testDevice());
    await laboratory.run(settings, (event) => events.push(event));
  });

  it("plans the cells of the command line, and makes its files", async () => {
    const { streams, texts } = printed();
    const args = [...argumentsOf({ ...settings, model: join(root, "models/tiny-llama") }), "--list-cells"];
    expect(await runCli(args, { ...processParts, ...streams }), texts.err).toBe(0);
    const files = await laboratory.results();
    const cells = Object.keys(files).filter((name) => name.startsWith("cells/"));
    expect(cells).toEqual([`cells/${texts.out.trim()}.json`]);
    for (const name of ["report.html", "krs.csv", "findings.csv", "figures/krs.svg", "data/recovery-by-layer.csv"])
      expect(files[name]!.length, name).toBeGreaterThan(50);
    expect(files["report.html"]).toContain("npm run experiment -- --preset smoke --model models/tiny-llama");
  });

  it("tells what happens, and a run holds what its cell holds", () => {
    const run = events.reduce(after, begun);
    const [cell] = run.cells;
    const { subject, studies } = cell!.result!;
    expect(cell!.losses).toEqual((subject as { steps: { loss: number }[] }).steps.map(({ loss }) => loss));
    expect(cell!.steps).toBe(cell!.losses.length);
    expect(cell!.epochs.map(({ bleu }) => bleu.target)).toEqual(subject.bleu.target.slice(1));
    expect(cell!.vanilla!.answers.target).toHaveLength(subject.vanilla.target.compared);
    const { centres } = studies.restoration as { centres: number[] };
    for (const setting of ["m", "W_V", "A", "m+A"] as const)
      expect(cell!.krs[setting]!.map(({ centre }) => centre)).toEqual(centres);
    expect(run.share).toBeGreaterThan(0.9);
    expect(run.command).toContain("--model models/tiny-llama");
  });

  it("says what can be chosen for a model", async () => {
    const facts = await laboratory.describe("tiny-olmo", "default", "npo");
    expect(facts).toMatchObject({ layers: 12, concepts: expect.arrayContaining(["Harry Potter"]) });
    expect(facts.rate).toBe(JSON.parse(inRoot("data/recipes/tiny-olmo.json")).methods.npo.recipe.learningRate);
  });

  it("lets the model answer with a part restored, and finds the words that count", async () => {
    const { cells } = events.reduce(after, begun);
    const { id: cell, vanilla } = cells[0]!;
    const { question, text } = vanilla!.answers.target[0]!;
    const tokens: InspectedToken[] = [];
    await laboratory.inspect({ cell, question, restored: { setting: "m+A", centre: 6 } }, (token) =>
      tokens.push(token),
    );
    expect(tokens.length).toBeGreaterThan(3);
    for (const { probability, likeliest } of tokens) {
      expect(likeliest[0]!.probability).toBe(probability);
      expect(probability).toBeGreaterThan(0);
    }
    const words = await laboratory.attribute(cell, question);
    expect(words).toMatchObject({ words: question.split(" "), answer: text });
    expect(words.vanilla.contributions).toHaveLength(words.words.length);
    expect(words.unlearned.logProb).not.toBe(words.vanilla.logProb);
  });

  it("gives the unlearned model's checkpoint, which differs from the vanilla one", async () => {
    const { id } = events.reduce(after, begun).cells[0]!;
    const files = laboratory.checkpoint(id);
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(["config.json", "tokenizer.json"]));
    const weights = await filesFolder(files).open("model.safetensors");
    const checkpoint = await openSafetensors(weights!);
    expect(checkpoint.info("model.embed_tokens.weight")).toMatchObject({ dtype: "F32" });
  });

  it("stops when it is told to, and can begin again", async () => {
    const running = laboratory.run(settings, ({ kind }) => kind === "progress" && laboratory.stop());
    await expect(laboratory.run(settings, () => {})).rejects.toThrow("running already");
    await expect(running).rejects.toThrow("Stopped.");
    expect(() => laboratory.checkpoint("any")).toThrow("no finished experiment");
  });
});
