import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FakeRunner } from "../fake-runner.ts";
import { run } from "./run-in-process.ts";
import { resultFiles, Workshop } from "./workshop.ts";

const MAIN = fileURLToPath(new URL("fake-main.ts", import.meta.url));

/** The experiment as a process of its own, slow enough to be caught in the middle of a cell. It may wait for a message to begin. */
function start(args: readonly string[], waiting: "ipc" | "ignore" = "ignore", environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["--conditions=lethe-source", "--import", "tsx", MAIN, ...args], {
    env: { ...process.env, STEP_MILLISECONDS: waiting === "ipc" ? "1" : "40", ...environment },
    stdio: ["ignore", "ignore", "pipe", waiting],
  });
  const running = { child, stderr: "" };
  child.stderr!.on("data", (chunk) => {
    running.stderr += chunk;
  });
  return running;
}

async function waitForCells(out: string, count: number, running: ReturnType<typeof start>): Promise<void> {
  for (;;) {
    if (running.child.exitCode !== null) throw new Error(`The experiment ended too early: ${running.stderr}`);
    const files = await readdir(join(out, "cells")).catch(() => []);
    if (files.filter((name) => name.endsWith(".json")).length >= count) return;
    await setTimeout(10);
  }
}

/** The path of the one file of a cell. */
async function cellFile(out: string, stem: string): Promise<string> {
  const names = (await readdir(join(out, "cells"))).filter((name) => name.startsWith(`${stem}--`));
  expect(names.length).toBe(1);
  return join(out, "cells", names[0]!);
}

/** What an uninterrupted run writes. */
async function uninterrupted(workshop: Workshop, control = "none"): Promise<Map<string, string>> {
  const out = workshop.path("whole");
  expect((await run(workshop.withControls(control, "--out", out))).code).toBe(0);
  return resultFiles(out);
}

describe("an interrupted experiment", () => {
  it("resumed after kill -9 ends with the bytes of an uninterrupted one", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("killed");
    const args = workshop.withControls("noise", "--out", out);
    const running = start(args);
    await waitForCells(out, 2, running);
    // Into the middle of the third cell, a control.
    await setTimeout(150);
    running.child.kill("SIGKILL");
    await once(running.child, "exit");
    const survivors = (await readdir(join(out, "cells"))).filter((name) => name.endsWith(".json"));
    expect(survivors.length).toBe(2);
    const written = await Promise.all(survivors.map((name) => stat(join(out, "cells", name))));

    const runner = new FakeRunner();
    const resumed = await run([...args, "--resume"], runner);
    expect(resumed.code).toBe(0);
    expect(resumed.out).toContain("8 cells, 2 of them finished before, 6 to run.");
    expect(runner.ran.slice(0, 2)).toEqual(
      ["graddiff", "npo"].map((name) => `tiny-llama--harry-potter--${name}-noise`),
    );
    for (const [i, name] of survivors.entries()) {
      expect((await stat(join(out, "cells", name))).mtimeMs, `${name} was written again`).toBe(written[i]!.mtimeMs);
    }
    expect(await resultFiles(out)).toEqual(await uninterrupted(workshop, "noise"));
  });

  it("stopped by Ctrl-C says how to go on, leaves nothing half-written and exits with 130", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("stopped by hand");
    const args = workshop.arguments("--out", out);
    const running = start(args);
    await waitForCells(out, 1, running);
    await setTimeout(100);
    running.child.kill("SIGINT");
    const [code] = await once(running.child, "close");
    expect(code).toBe(130);
    expect(running.stderr).toContain("go on with:\n  npm run experiment -- --data");
    expect(running.stderr).toContain(`--out '${out}' --resume\n`);
    expect(await readdir(join(out, "cells"))).toEqual([
      expect.stringMatching(/^tiny-llama--harry-potter--graddiff--\w{8}.json$/),
    ]);
    await run([...args, "--resume"]);
    expect(await resultFiles(out)).toEqual(await uninterrupted(workshop));
  });

  it("ends within ten seconds of Ctrl-C while a driver is busy, and at once after a second one", {
    timeout: 60_000,
  }, async () => {
    await using workshop = await Workshop.open();
    const busy = { DEAF: "yes", STEP_MILLISECONDS: "60000" };
    const stopped = async (name: string, again: boolean) => {
      const running = start(workshop.arguments("--out", workshop.path(name)), "ignore", busy);
      while ((await readdir(workshop.path(`${name}/runs`)).catch(() => [])).length === 0) await setTimeout(20);
      await setTimeout(200);
      const since = performance.now();
      running.child.kill("SIGINT");
      while (!running.stderr.includes("Stopping; press Ctrl-C again")) await setTimeout(5);
      const answered = performance.now() - since;
      expect(running.stderr).toMatch(/go on with:\n {2}npm run experiment -- .* --resume\n/);
      if (again) running.child.kill("SIGINT");
      const [code] = await once(running.child, "close");
      expect(code).toBe(130);
      return { answered, ended: performance.now() - since };
    };
    const [first, second] = await Promise.all([stopped("once", false), stopped("twice", true)]);
    expect(Math.max(first.answered, second.answered)).toBeLessThan(2000);
    expect(first.ended).toBeLessThan(10_000);
    expect(second.ended).toBeLessThan(3000);
  });

  it("runs a damaged cell again and says so", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("whole");
    const whole = await uninterrupted(workshop);
    const path = await cellFile(out, "tiny-llama--netflix--npo");
    await writeFile(path, (await readFile(path, "utf8")).slice(0, 5000));
    const runner = new FakeRunner();
    const { code, err } = await run(workshop.arguments("--out", out, "--resume"), runner);
    expect(code).toBe(0);
    expect(err).toMatch(/netflix--npo--\w{8}.json is not complete JSON .*; running this cell again/);
    expect(runner.ran).toEqual(["tiny-llama--netflix--npo"]);
    expect(await resultFiles(out)).toEqual(whole);
  });

  it("runs nothing when all is finished, and opens no device for it", async () => {
    await using workshop = await Workshop.open();
    const whole = await uninterrupted(workshop);
    const runner = new FakeRunner();
    expect((await run(workshop.arguments("--out", workshop.path("whole"), "--resume"), runner)).code).toBe(0);
    expect(runner).toMatchObject({ ran: [], closed: 0 });
    expect(await resultFiles(workshop.path("whole"))).toEqual(whole);
  });

  it("runs a cell again whose file is another configuration's under its name", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("whole");
    const whole = await uninterrupted(workshop);
    await rename(await cellFile(out, "tiny-llama--netflix--npo"), await cellFile(out, "tiny-llama--netflix--graddiff"));
    const { err } = await run(workshop.arguments("--out", out, "--resume"));
    expect(err).toMatch(
      /graddiff--\w{8}.json is the result of tiny-llama--netflix--npo--\w{8}; running this cell again/,
    );
    expect(await resultFiles(out)).toEqual(whole);
  });

  it("keeps cells of another configuration, names the differences and leaves them out of the report", async () => {
    await using workshop = await Workshop.open();
    const whole = await uninterrupted(workshop);
    const out = workshop.path("whole");
    const resume = workshop.arguments("--out", out, "--resume", "--concept", "Netflix", "--method", "npo");
    const id = "tiny-llama--netflix--npo";
    const changes: [string[], RegExp, () => Promise<unknown>][] = [
      [["--seed", "3"], /: seed is 0 in it and 3 now\n/, async () => {}],
      [[], /: model.sha256 is "[0-9a-f]{64}" in it and/, () => workshop.addModel("tiny-llama", "other weights")],
      [[], /: model.sha256 is /, () => writeFile(workshop.path("tiny-llama/tokenizer_config.json"), "{}")],
      [[], /: .*concept.sha256 is/, () => workshop.rewriteData("Netflix is known", "Netflix is well known")],
    ];
    for (const [options, difference, change] of changes) {
      await change();
      const { code, out: printed, err } = await run([...resume, ...options]);
      expect(code).toBe(0);
      expect(printed).toContain("1 cell, 0 of them finished before, 1 to run.");
      expect(err).toMatch(new RegExp(`left out of the report: ${id}--\\w{8}${difference.source}`));
      expect(err).toMatch(
        /left out of the report: tiny-llama--harry-potter--npo--\w{8}: not part of this experiment\n/,
      );
      const csv = await readFile(join(out, "krs.csv"), "utf8");
      expect(csv.trim().split("\n").length).toBe(1 + 4 * 12 * 2 * 2);
    }
    const files = await resultFiles(out);
    for (const [name, text] of whole) if (name.startsWith("cells")) expect(files.get(name)).toBe(text);
  });
});

describe("a folder among the cells", () => {
  it("is named, and left where it is", async () => {
    await using workshop = await Workshop.open();
    await uninterrupted(workshop);
    const out = workshop.path("whole");
    await mkdir(join(out, "cells/notes.json"));
    const resumed = await run(workshop.arguments("--out", out, "--resume"));
    expect(resumed).toMatchObject({ code: 0, err: expect.stringMatching(/^left out .*notes.json: it is a directory/) });
    const cell = await cellFile(out, "tiny-llama--netflix--npo");
    await rename(cell, join(out, "moved"));
    await mkdir(cell);
    const refused = await run(workshop.arguments("--out", out, "--resume"));
    expect(refused).toMatchObject({
      code: 78,
      err: expect.stringMatching(/^error: .*npo--\w{8}.json: it is a directory/),
    });
  });
});

describe("eight processes in one folder", () => {
  it.each([
    ["each on another cell", (ids: readonly string[]) => ids.map((id) => ["--cell", id])],
    ["all on the same cells", (ids: readonly string[]) => ids.map(() => [])],
  ])("%s end with whole files, all cells and one report", { timeout: 120_000 }, async (_, shares) => {
    await using workshop = await Workshop.open();
    const into = (out: string) => [
      ...["--preset", "paper", "--seed", "0", "--method", "graddiff", "--method", "npo"],
      ...workshop.arguments("--out", workshop.path(out)),
    ];
    const args = [...into("shared"), "--resume"];
    const ids = (await run([...args, "--list-cells"])).out.trim().split("\n");
    expect(ids.length).toBe(8);
    const running = shares(ids).map((share) => start([...args, ...share], "ipc"));
    await Promise.all(running.map(({ child }) => once(child, "message")));
    for (const { child } of running) child.send("begin");
    const ends = await Promise.all(
      running.map(async (process) => {
        const [code] = await once(process.child, "close");
        return { code, err: process.stderr.replace(/^.*(: a remark|highest KRS .*)\n/gm, "") };
      }),
    );
    expect(ends).toEqual(ends.map(() => ({ code: 0, err: "" })));
    await run(into("alone"));
    expect(await resultFiles(workshop.path("shared"))).toEqual(await resultFiles(workshop.path("alone")));
    const runs = await readdir(workshop.path("shared/runs"));
    expect(runs.length).toBe(8);
    for (const name of runs) {
      const record = JSON.parse(await readFile(workshop.path(`shared/runs/${name}`), "utf8"));
      expect(record.finishedAt).not.toBeNull();
    }
  });
});
