import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cellPath } from "../../src/experiment/cell-file.ts";
import { FakeStudy } from "./fake-study.ts";
import { run } from "./run-in-process.ts";
import { resultFiles, Workshop } from "./workshop.ts";

const MAIN = fileURLToPath(new URL("fake-main.ts", import.meta.url));

/** The experiment as a process of its own, slow enough to be caught in the middle of a cell. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, ["--conditions=lethe-source", "--import", "tsx", MAIN, ...args], {
    env: { ...process.env, STEP_MILLISECONDS: "40" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const running = { child, stderr: "" };
  child.stderr.on("data", (chunk) => {
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

/** What an uninterrupted run writes. */
async function uninterrupted(workshop: Workshop): Promise<Map<string, string>> {
  const out = workshop.path("whole");
  expect((await run(workshop.arguments("--out", out))).code).toBe(0);
  return resultFiles(out);
}

describe("an interrupted experiment", () => {
  it("resumed after kill -9 ends with the bytes of an uninterrupted one", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("killed");
    const running = start(workshop.arguments("--out", out));
    await waitForCells(out, 2, running);
    // Into the middle of the third cell.
    await setTimeout(150);
    running.child.kill("SIGKILL");
    await once(running.child, "exit");
    const survivors = (await readdir(join(out, "cells"))).filter((name) => name.endsWith(".json"));
    expect(survivors.length).toBe(2);
    const written = await Promise.all(survivors.map((name) => stat(join(out, "cells", name))));

    const study = new FakeStudy();
    const resumed = await run(workshop.arguments("--out", out, "--resume"), study);
    expect(resumed.code).toBe(0);
    expect(resumed.out).toContain("4 cells, 2 of them finished before, 2 to run.");
    expect(study.ran.length).toBe(2);
    for (const [i, name] of survivors.entries()) {
      expect((await stat(join(out, "cells", name))).mtimeMs, `${name} was written again`).toBe(written[i]!.mtimeMs);
    }
    expect(await resultFiles(out)).toEqual(await uninterrupted(workshop));
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
    expect(await readdir(join(out, "cells"))).toEqual(["tiny-llama--harry-potter--graddiff.json"]);
    await run([...args, "--resume"]);
    expect(await resultFiles(out)).toEqual(await uninterrupted(workshop));
  });

  it("runs a damaged cell again and says so", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("whole");
    const whole = await uninterrupted(workshop);
    const path = cellPath(out, "tiny-llama--netflix--npo");
    await writeFile(path, (await readFile(path, "utf8")).slice(0, 5000));
    const study = new FakeStudy();
    const { code, err } = await run(workshop.arguments("--out", out, "--resume"), study);
    expect(code).toBe(0);
    expect(err).toMatch(/netflix--npo.json is not complete JSON .*; running this cell again/);
    expect(study.ran).toEqual(["tiny-llama--netflix--npo"]);
    expect(await resultFiles(out)).toEqual(whole);
  });

  it("runs nothing when all is finished, and opens no device for it", async () => {
    await using workshop = await Workshop.open();
    const whole = await uninterrupted(workshop);
    const study = new FakeStudy();
    expect((await run(workshop.arguments("--out", workshop.path("whole"), "--resume"), study)).code).toBe(0);
    expect(study).toMatchObject({ ran: [], closed: 0 });
    expect(await resultFiles(workshop.path("whole"))).toEqual(whole);
  });

  it("is not overwritten by another configuration: another seed, other weights, other data", async () => {
    await using workshop = await Workshop.open();
    const whole = await uninterrupted(workshop);
    const resume = workshop.arguments("--out", workshop.path("whole"), "--resume");
    const seed = await run([...resume, "--seed", "3"]);
    expect(seed).toMatchObject({ code: 1 });
    expect(seed.err).toMatch(/another configuration:\n {2}seed is 0 in the file and 3 now\n/);
    await workshop.addModel("tiny-llama", "other weights");
    expect((await run(resume)).err).toMatch(/model.sha256 is "[0-9a-f]{64}" in the file and/);
    await workshop.addModel("tiny-llama", "weights");
    await writeFile(
      workshop.data,
      (await readFile(workshop.data, "utf8")).replace("It has a text", "It has another text"),
    );
    expect((await run(resume)).err).toMatch(/concept.sha256/);
    expect(await resultFiles(workshop.path("whole"))).toEqual(whole);
  });
});
