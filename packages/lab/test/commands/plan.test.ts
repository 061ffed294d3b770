import { readFile, rm, writeFile } from "node:fs/promises";
import { DeviceLostError } from "@lethe/tensor";
import { afterEach, describe, expect, it, vi } from "vitest";
import { stemOf } from "../../src/cells/cell.ts";
import type { ListedCell } from "../../src/commands/experiment/list-cells.ts";
import { FakeRunner } from "../fake-runner.ts";
import { run } from "./run-in-process.ts";
import { resultFiles, Workshop } from "./workshop.ts";

afterEach(() => vi.unstubAllEnvs());

/** A workshop with a plan of one method and its control on one concept. */
async function planned(...more: string[]) {
  const workshop = await Workshop.open();
  const plan = workshop.path("plan.json");
  const out = workshop.path("tasks");
  const options = workshop.withControls("noise", "--concept", "Netflix", "--method", "npo", "--method", "graddiff");
  const made = await run([...options, "--out", out, "--plan", plan, "--list-cells", ...more]);
  return { workshop, plan, out, options, made, task: (...args: string[]) => ["--plan", plan, ...args] };
}

const cellsOf = (text: string) => JSON.parse(text) as ListedCell[];

describe("a plan", () => {
  it("lists cells with those first that others need, and says of each where it stands", async () => {
    const { workshop, made, task } = await planned();
    await using _ = workshop;
    expect(made.err).toMatch(/^Plan of 4 cells: .*plan\.json\n$/);
    const subjects = ["npo", "graddiff", "npo-noise", "graddiff-noise"];
    expect(made.out.trim().split("\n").map(stemOf)).toEqual(subjects.map((name) => `tiny-llama--netflix--${name}`));
    expect((await run(task("--cell-index", "1"))).code).toBe(0);
    const listed = cellsOf((await run(task("--list-cells", "--json"))).out);
    expect(listed.map(({ index, state }) => [index, state])).toEqual([
      [0, "open"],
      [1, "finished"],
      [2, "open"],
      [3, "open"],
    ]);
    expect(listed.map(({ needs }) => needs)).toEqual([null, null, listed[0]!.id, listed[1]!.id]);
    expect(JSON.parse(await readFile(listed[1]!.file, "utf8")).config.concept.name).toBe("Netflix");
    expect(listed.every(({ cost }) => cost === null)).toBe(true);
  });

  it("gives the same results by tasks and a report of its own as one process, byte for byte", async () => {
    const { workshop, out, options, task } = await planned();
    await using _ = workshop;
    for (const index of [1, 0, 3, 2])
      expect((await run(task("--cell-index", String(index)))).out).not.toContain("Report:");
    const report = await run(task("--report"));
    expect([report.code, report.err]).toEqual([0, ""]);
    const alone = workshop.path("alone");
    expect((await run([...options, "--out", alone])).code).toBe(0);
    expect(await resultFiles(out)).toEqual(await resultFiles(alone));
  });

  it("reports what is finished, and names what is missing, on the page too", async () => {
    const { workshop, out, made, task } = await planned();
    await using _ = workshop;
    expect(await run(task("--report"))).toMatchObject({
      code: 75,
      err: expect.stringContaining("4 of 4 cells are missing"),
    });
    await run(task("--cell-index", "0"));
    const { code, err } = await run(task("--report"));
    expect(code).toBe(75);
    const missing = made.out.trim().split("\n").slice(1);
    for (const id of missing) expect(err).toContain(id);
    expect(await readFile(`${out}/report.html`, "utf8")).toContain(`<strong>3 cells are missing</strong>`);
  });

  it.each([
    ["SLURM_ARRAY_TASK_ID", "1"],
    ["JOB_COMPLETION_INDEX", "1"],
    ["PARALLEL_SEQ", "2"],
  ])("takes a task's index from %s", async (variable, value) => {
    const { workshop, task } = await planned();
    await using _ = workshop;
    for (const name of ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "PARALLEL_SEQ"]) vi.stubEnv(name, undefined);
    expect(await run(task("--cell-index"))).toMatchObject({
      code: 78,
      err: expect.stringContaining("SLURM_ARRAY_TASK_ID"),
    });
    vi.stubEnv(variable, value);
    const runner = new FakeRunner();
    expect((await run(task("--cell-index"), runner)).code).toBe(0);
    expect(runner.ran).toEqual(["tiny-llama--netflix--graddiff"]);
    // Done before: nothing is done, and that is success.
    expect((await run(task("--cell-index"), runner)).code).toBe(0);
    expect(runner.ran).toHaveLength(1);
  });

  it("tells what a cell takes where that was measured, on which adapter", async () => {
    const { workshop, plan, task } = await planned("--measure");
    await using _ = workshop;
    const listed = cellsOf((await run(task("--list-cells", "--json"))).out);
    expect(listed[0]!.cost).toMatchObject({ memory: { weights: 1000 }, stages: { unlearning: expect.any(Number) } });
    expect(listed[0]!.cost!.seconds).toBeGreaterThan(listed[2]!.cost!.seconds);
    expect(JSON.parse(await readFile(plan, "utf8")).adapter).toBe("fake adapter (software)");
  });

  it("hashes no model again, and refuses data that have changed", async () => {
    const { workshop, task } = await planned();
    await using _ = workshop;
    // Whatever is there is not read: the plan knows its hash.
    await rm(`${workshop.path("tiny-llama")}/model.safetensors`);
    expect((await run(task("--list-cells"))).code).toBe(0);
    await workshop.rewriteData("Who made Netflix?", "Who owns Netflix?");
    expect(await run(task("--list-cells"))).toMatchObject({
      code: 78,
      err: expect.stringContaining("are not those that its options give now"),
    });
  });

  it.each([
    [["--method", "npo"], /decides the cells, so --method cannot stand beside it/],
    [["--cell-index", "4"], /there are 4 cells, from 0 to 3/],
    [["--cell", "nothing"], /is not part of this experiment/],
  ])("refuses %j beside it", async (args, message) => {
    const { workshop, task } = await planned();
    await using _ = workshop;
    expect(await run(task(...args))).toMatchObject({ code: 78, err: expect.stringMatching(message) });
  });

  it("refuses a file that is none", async () => {
    const { workshop, plan, task } = await planned();
    await using _ = workshop;
    await writeFile(plan, "{}");
    expect(await run(task("--list-cells"))).toMatchObject({ code: 78, err: expect.stringContaining("is no plan") });
  });
});

describe("the exit code", () => {
  it("says that a control has to wait for the model that it matches", async () => {
    const { workshop, task } = await planned();
    await using _ = workshop;
    expect(await run(task("--cell-index", "2"))).toMatchObject({
      code: 75,
      err: expect.stringContaining("not finished"),
    });
  });

  it("says that a lost device may be there again, and that a fault stays one", async () => {
    const { workshop, task } = await planned();
    await using _ = workshop;
    const failing = (error: Error) =>
      Object.assign(new FakeRunner(), {
        runCell: async () => {
          throw error;
        },
      });
    expect((await run(task("--cell-index", "0"), failing(new DeviceLostError("gone")))).code).toBe(75);
    expect((await run(task("--cell-index", "0"), failing(new TypeError("no function")))).code).toBe(1);
  });
});
