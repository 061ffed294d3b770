import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openDeviceRunner } from "../../src/cells/device-runner.ts";
import { FolderStore } from "../../src/cells/folder-store.ts";
import type { Study } from "../../src/studies/study.ts";
import { words } from "../words-study.ts";
import { run } from "./run-in-process.ts";

const MAIN = fileURLToPath(new URL("training-main.ts", import.meta.url));
const studies = [words as Study];
const root = join(import.meta.dirname, "../../../..");

/** Where the one cell of a folder stands, as its kept training says: the next step, or that it is finished. */
async function standing(out: string): Promise<number | "finished" | undefined> {
  const [file] = (await readdir(join(out, "unfinished")).catch(() => [])).filter((name) => !name.endsWith(".tmp"));
  const checkpoint = file && (await new FolderStore(out).unfinished.open(file.replace(".safetensors", "")));
  if (!checkpoint) return undefined;
  await checkpoint.close();
  const { notes } = Object.fromEntries([...checkpoint.metadata().values()][0]!);
  const { training } = JSON.parse(notes!) as { training: { steps: number } | null };
  return training ? training.steps + 1 : "finished";
}

/** Runs the experiment as a process of its own and kills it as soon as its kept training stands where it is told. */
async function killedAt(args: readonly string[], out: string, at: (place: number | "finished") => boolean) {
  const child = spawn(process.execPath, ["--conditions=lethe-source", "--import", "tsx", MAIN, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  for (;;) {
    const place = await standing(out);
    if (place !== undefined && at(place)) break;
    if (child.exitCode !== null) throw new Error(`The experiment ended before it was killed: ${stderr}`);
    await setTimeout(5);
  }
  child.kill("SIGKILL");
  await once(child, "close");
  return stderr;
}

/** Two concepts of the tiny model's data with little text and few questions, so that a cell takes a second. */
async function smallData(folder: string): Promise<string> {
  const all = JSON.parse(await readFile(join(root, "data/llama.json"), "utf8"));
  const concepts = ["Harry Potter", "Netflix"].map((name) => {
    const { id, QA, wikipedia_content: text } = all.find(({ Concept }: { Concept: string }) => Concept === name);
    return {
      id,
      Concept: name,
      QA: QA.slice(0, 1),
      unrelated_QA: ["What is the capital of France?"],
      wikipedia_content: text.slice(0, 200),
    };
  });
  await writeFile(join(folder, "data.json"), JSON.stringify(concepts));
  return join(folder, "data.json");
}

it("a cell that is killed in its training and in its study ends with the bytes of an uninterrupted one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lethe-kept-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  const cell = ["--preset", "smoke", "--model", join(root, "models/tiny-llama"), "--concept", "Harry Potter"];
  const data = await smallData(folder);
  const args = (out: string) => [...cell, "--data", data, "--method", "graddiff", "--study", "words", "--out", out];
  const cellFile = async (out: string) => {
    const [name] = await readdir(join(out, "cells"));
    return readFile(join(out, "cells", name!), "utf8");
  };

  expect(await run(args(whole), await openDeviceRunner(studies), studies)).toMatchObject({ code: 0 });
  // Its five epochs are measured but for the last, which is the subject.
  expect(JSON.parse(await cellFile(whole)).studies.words.epochs).toHaveLength(4);
  // What takes less than a minute keeps nothing.
  expect(await readdir(whole)).not.toContain("unfinished");

  const resume = [...args(killed), "--resume"];
  await killedAt(resume, killed, (place) => place !== "finished" && place >= 6);
  const second = await killedAt(resume, killed, (place) => place === "finished");
  expect(second).toMatch(/: goes on at step ([6-9]|1\d) of 20\n/);
  await writeFile(join(killed, "unfinished", "other.safetensors"), "stays: it is of no finished cell");

  const last = await run(resume, await openDeviceRunner(studies), studies, () => true);
  expect(last.err).toContain(": the training was finished by an earlier run; goes on with its studies\n");
  expect(last.code).toBe(0);
  expect(await cellFile(killed)).toBe(await cellFile(whole));
  expect(await readdir(join(killed, "unfinished"))).toEqual(["other.safetensors"]);
}, 240_000);
