import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NonFiniteError } from "@lethe/autograd";
import { describe, expect, it } from "vitest";
import type { Cell } from "../src/cells/cell.ts";
import { findRate } from "../src/recipes/find-rate.ts";
import type { RateTry } from "../src/recipes/record.ts";
import { run } from "./commands/run-in-process.ts";
import { Workshop } from "./commands/workshop.ts";
import { FakeRunner } from "./fake-runner.ts";

const scored = (learningRate: number, target: number, unrelated: number): RateTry => {
  return { learningRate, bleu: { target: [1, target], unrelated: [1, unrelated] }, losses: [] };
};
/** A model that begins to forget at a rate, and breaks down at another. */
const modelFrom = (forgets: number, breaks: number) => async (rate: number) =>
  rate >= breaks ? { learningRate: rate, failed: "NaN" } : scored(rate, rate >= forgets ? 0.05 : 0.5, 1 - rate);

describe("the search for a learning rate", () => {
  const search = async (attempt: (rate: number) => Promise<RateTry>, first = 1e-5) => {
    const { tries, ...rest } = await findRate({ first, targetBleu: 0.1 }, attempt);
    return { rates: tries.map(({ learningRate }) => learningRate), ...rest };
  };

  it("goes up until a rate reaches the target", async () => {
    expect(await search(modelFrom(1e-4, 1))).toEqual({
      rates: [1e-5, 3.2e-5, 1e-4],
      targetBleu: 0.1,
      chosen: 1e-4,
      reached: true,
    });
  });

  it("goes down from a rate that reaches it, or breaks the model, and takes the gentlest", async () => {
    expect(await search(modelFrom(2e-6, 1))).toMatchObject({ rates: [1e-6, 3.2e-6, 1e-5], chosen: 3.2e-6 });
    expect(await search(modelFrom(1e-6, 5e-6))).toMatchObject({ chosen: 1e-6, reached: true });
  });

  it("ends after five tries, takes the nearest and says that it does not reach the target", async () => {
    const found = await search(async (rate) => scored(rate, 0.6 - 10 * rate, 0.9));
    expect(found).toMatchObject({ rates: [1e-5, 3.2e-5, 1e-4, 3.2e-4, 1e-3], chosen: 1e-3, reached: false });
    expect(await search(modelFrom(1, 2e-5))).toMatchObject({ rates: [1e-5, 3.2e-5], chosen: 1e-5, reached: false });
    expect(await search(modelFrom(1, 0))).toMatchObject({ chosen: 1e-7, reached: false });
  });

  it("tries all of a grid, and prefers the highest unrelated BLEU among those that reach the target", async () => {
    const unrelated = new Map([
      [1, 0.9],
      [2, 0.4],
      [3, 0.7],
      [4, 0.7],
    ]);
    const attempt = async (rate: number) => scored(rate, rate > 1 ? 0.1 : 0.3, unrelated.get(rate)!);
    const found = await findRate({ grid: [4, 3, 1, 2], first: 9, targetBleu: 0.1 }, attempt);
    expect(found.tries).toHaveLength(4);
    expect(found).toMatchObject({ chosen: 3, reached: true });
  });
});

const BREAKDOWN = { step: 3, batches: ["batch 1"], parameters: [], loss: Number.NaN, gradientNorm: Number.NaN };

/** A runner whose model forgets from 1e-4, and breaks down at 1e-2. */
class RateRunner extends FakeRunner {
  readonly asked: Cell["config"][] = [];
  override async runCell(...[cell, watcher]: Parameters<FakeRunner["runCell"]>) {
    this.asked.push(cell.config);
    const { learningRate } = (cell.config.subject as { training: { learningRate: number } }).training;
    if (learningRate >= 1e-2) throw new NonFiniteError(BREAKDOWN);
    const { subject, ...rest } = await super.runCell(cell, watcher);
    const bleu = { target: [1, learningRate >= 1e-4 ? 0.05 : 0.4], unrelated: [1, 1 - learningRate] };
    return { ...rest, subject: { ...subject, bleu } };
  }
}

describe("--find-rate", () => {
  it("keeps what it finds in the folder of results, and an experiment there uses it", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    const args = workshop.arguments("--out", out);
    const runner = new RateRunner();
    const found = await run([...args, "--find-rate", "--batch-size", "2"], runner);
    expect(found).toMatchObject({ code: 0 });
    expect(found.err).toMatch(/tiny-llama--harry-potter--npo at 3.2e-5: BLEU target 0.40, unrelated 1.00\n/);
    expect(found.err).toMatch(
      /graddiff: --rate 1e-4, with BLEU target 0.05, unrelated 1.00.\nKept in .*; an experiment/,
    );
    // One concept of two, both methods, three rates; no study runs.
    expect(runner.asked).toHaveLength(6);
    for (const config of runner.asked) expect(config).toMatchObject({ concept: { name: "Harry Potter" }, studies: {} });
    const record = JSON.parse(await readFile(join(out, "find-rate/tiny-llama.json"), "utf8"));
    expect(Object.keys(record.methods)).toEqual(["graddiff", "npo"]);
    expect(record.methods.npo).toMatchObject({
      recipe: { learningRate: 1e-4, steps: 12, batchSize: 2 },
      evidence: { adapter: "fake adapter", concept: "Harry Potter", targetBleu: 0.1, chosen: 1e-4, reached: true },
    });
    const used = new RateRunner();
    const { code, out: said } = await run([...args, "--method", "npo"], used);
    expect(code).toBe(0);
    expect(said).not.toContain("on record");
    expect(used.asked[1]).toMatchObject({ subject: { training: { learningRate: 1e-4, steps: 12, batchSize: 2 } } });
  });

  it("finds a rate of its own for each part that is trained; without one, the part takes the method's", async () => {
    await using workshop = await Workshop.open();
    const args = workshop.arguments("--out", workshop.path("out"), "--method", "npo", "--concept", "Netflix");
    const rates = async (...parts: string[]) => {
      const used = new RateRunner();
      const again = [...args, "--resume", ...parts.flatMap((part) => ["--train", part])];
      const { out: said } = await run(again, used);
      return { said, rates: used.asked.map(({ subject }) => Object(subject).training.learningRate) };
    };
    expect(await run([...args, "--find-rate", "2e-4"], new RateRunner())).toMatchObject({ code: 0 });
    const before = await rates("W_V");
    expect(before.rates).toEqual([2e-4]);
    expect(before.said).toContain(
      "no learning rate for npo W_V is on record, so it is the 2e-4 of npo, which was found for",
    );
    const search = [...args, "--resume", "--find-rate", "3e-4", "--train", "W_V", "--train", "lora:2"];
    expect(await run(search, new RateRunner())).toMatchObject({ code: 0 });
    const record = JSON.parse(await readFile(workshop.path("out/find-rate/tiny-llama.json"), "utf8"));
    expect(Object.keys(record.methods)).toEqual(["npo", "npo W_V", "npo lora:2"]);
    const after = await rates("all", "W_V", "lora:2");
    expect(after.rates).toEqual([2e-4, 3e-4, 3e-4]);
    expect(after.said).not.toContain("on record");
  });

  it("counts a training that breaks down as a try, and says when no rate reaches the target", async () => {
    await using workshop = await Workshop.open();
    const args = workshop.arguments("--out", workshop.path("out"), "--method", "npo");
    const { err } = await run([...args, "--find-rate", "1e-2,1e-5"], new RateRunner());
    expect(err).toMatch(/at 1e-2: the training broke down \(.*\)/);
    expect(err).toMatch(/no rate brought BLEU on the target to 0.1. The nearest is 1e-5, with BLEU target 0.40/);
    for (const wrong of ["0", "fast", "1e-4,,1e-3"])
      expect((await run([...args, "--find-rate", wrong])).err).toMatch(
        /'--find-rate \[rates\]' argument .* is invalid/,
      );
    expect((await run([...args, "--target-bleu", "2"])).err).toContain("Expected a number from 0 to 1");
  });
});
