import { execFileSync } from "node:child_process";
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cell, CellResult } from "../../src/cells/cell.ts";
import { cellId } from "../../src/cells/cell.ts";
import { CellFileError, parseCell, serializeCell } from "../../src/cells/cell-file.ts";
import { FolderStore } from "../../src/cells/folder-store.ts";
import { writeInto } from "../../src/cells/out-folder.ts";
import { presets } from "../../src/cells/presets.ts";
import { readResults } from "../../src/cells/results.ts";
import type { CellStore } from "../../src/cells/store.ts";
import { studies } from "../../src/studies/list.ts";
import { Workshop } from "../commands/workshop.ts";
import { fakeConfig, fakeResult } from "../fake-cell.ts";

const result = fakeResult();
const text = serializeCell(result, studies);
const read = (content: string) => parseCell(content, "cell.json", studies);

/** The file's text with one change to its content. */
function changed(change: (file: ReturnType<typeof fakeResult>) => void): string {
  const file = JSON.parse(text);
  change(file);
  return JSON.stringify(file);
}

describe("a cell's file", () => {
  it("comes back as it was, and is written again with the same bytes", () => {
    const back = read(text) as ReturnType<typeof fakeResult>;
    expect(serializeCell(back, studies)).toBe(text);
    expect(back.config).toEqual(result.config);
    expect(back.subject.steps.length).toBe(4 * presets.default.epochs);
    // Losses are 32-bit floats, which nine digits hold exactly.
    const floats = (losses: number[][]) => losses.map((layer) => layer.map(Math.fround));
    const losses = (file: ReturnType<typeof fakeResult>) => file.studies.restoration.restored.A.paper;
    expect(floats(losses(back))).toEqual(losses(result));
  });

  it("holds losses and no scores", () => {
    expect(Object.keys(JSON.parse(text))).toEqual(["version", "config", "subject", "studies"]);
    expect(Object.keys(JSON.parse(text).studies.restoration)).toEqual(["depth", "centres", "base", "restored"]);
    expect(text).not.toMatch(/krs|ratioOf|meanOf/i);
  });

  it("has the same bytes whatever the order of keys it was made from", () => {
    const reversed = (value: unknown): unknown =>
      value === null || typeof value !== "object" || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, entry]) => [key, reversed(entry)]),
          );
    expect(serializeCell(reversed(result) as CellResult, studies)).toBe(text);
  });

  it("writes minus zero as zero", () => {
    const file = fakeResult();
    file.subject.steps[0]!.loss = -0;
    expect(serializeCell(file, studies)).not.toContain("-0,");
  });

  it("is not made from a number that is not finite, or from a model that did not change", () => {
    const broken = fakeResult();
    broken.subject.steps[3]!.loss = Number.NaN;
    expect(() => serializeCell(broken, studies)).toThrow(/steps/);
    const unchanged = fakeResult();
    unchanged.studies.restoration.base.paper[1] = 0;
    expect(() => serializeCell(unchanged, studies)).toThrow(/Was the model changed at all/);
    const short = fakeResult();
    short.studies.restoration.restored.A.paper.pop();
    expect(() => serializeCell(short, studies)).toThrow(/not every setting has 12 layers of 4 questions/);
    const outside = fakeResult();
    outside.studies.restoration.centres[11] = 12;
    expect(() => serializeCell(outside, studies)).toThrow(/are not ascending layers of 12/);
  });

  it.each([
    ["is cut off", text.slice(0, text.length / 2), /not complete JSON/],
    ["is empty", "", /not complete JSON/],
    ["is null", "null", /format version unknown/],
    ["is of another version", changed((file) => Object.assign(file, { version: 2 })), /format version 2.*reads 4/],
    ["lacks a field", changed(({ subject }) => Reflect.deleteProperty(subject, "bleu")), /subject.bleu/],
    [
      "counts a question twice",
      changed(({ subject }) => Object.assign(subject.vanilla.target, { silent: 1 })),
      /counts do not add up/,
    ],
    ["lacks its steps", changed(({ subject }) => Reflect.deleteProperty(subject, "steps")), /subject.steps/],
    ["has a field too many", changed((file) => Object.assign(file, { seconds: 3 })), /seconds/],
    ["has a loss below 0", changed(({ studies }) => studies.restoration.base.paper.splice(0, 1, -1)), /base/],
    ["lacks a question", changed(({ studies }) => studies.restoration.base.released.pop()), /of 4 questions/],
    ["lacks an epoch", changed(({ subject }) => subject.bleu.target.pop()), /target and unrelated differ in length/],
    [
      "lacks a study",
      changed(({ studies }) => Reflect.deleteProperty(studies, "restoration")),
      /studies are not those/,
    ],
    ["has a study too many", changed(({ studies }) => Object.assign(studies, { depth: {} })), /depth/],
    [
      "names no method that there is",
      changed(({ config }) => Object.assign(config.subject, { method: "x" })),
      /method/,
    ],
  ])("is refused when it %s", (_, damaged, message) => {
    expect(() => read(damaged)).toThrow(CellFileError);
    expect(() => read(damaged)).toThrow(message);
  });
});

describe("a cell's id", () => {
  it("names model, concept and subject, and changes with every field of the configuration", () => {
    const config = fakeConfig();
    expect(cellId(config)).toMatch(/^tiny-llama--harry-potter--graddiff--[0-9a-f]{8}$/);
    expect(cellId(fakeConfig())).toBe(cellId(config));
    const { subject } = config;
    const others = [
      { ...config, seed: 1 },
      { ...config, model: { ...config.model, sha256: "d".repeat(64) } },
      { ...config, evaluation: { ...config.evaluation, maxAnswerTokens: 29 } },
      { ...config, evaluation: { ...config.evaluation, prompt: "chat" } },
      { ...config, evaluation: { ...config.evaluation, known: true } },
      { ...config, evaluation: { ...config.evaluation, judge: { name: "exact", threshold: 1 } } },
      { ...config, studies: { restoration: { windowRadius: 1 } } },
      { ...config, subject: { ...subject, train: "W_V" } as typeof subject },
      { ...config, subject: { ...subject, options: { retain: "kl", retainWeight: 1 } } as typeof subject },
    ];
    expect(new Set([config, ...others].map(cellId)).size).toBe(others.length + 1);
  });
});

describe("a folder of cells", () => {
  it("lists, reads and writes records of each kind, and leaves nothing beside them", async () => {
    await using workshop = await Workshop.open();
    const out = workshop.path("out");
    const store = new FolderStore(out);
    expect(await store.list("cells")).toEqual([]);
    expect(await store.read("cells", "a")).toBeUndefined();
    for (const id of ["b", "a"]) await store.write("cells", id, id);
    await store.write("cells", "a", text);
    await store.write("timings", "c", "{}");
    expect(await store.list("cells")).toEqual(["a", "b"]);
    expect(await store.read("cells", "a")).toBe(text);
    expect(await readdir(join(out, "cells"))).toEqual(["a.json", "b.json"]);
    expect(await readFile(store.where("timings", "c"), "utf8")).toBe("{}");
  });

  it("is led nowhere else by links that somebody planted", async () => {
    await using workshop = await Workshop.open();
    const [out, elsewhere] = [workshop.path("out"), workshop.path("elsewhere")];
    const store = new FolderStore(out);
    await mkdir(join(out, "cells"), { recursive: true });
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, "victim"), "as it was");
    await symlink(elsewhere, join(out, "timings"));
    await symlink(workshop.path("absent"), join(out, "runs"));
    for (const kind of ["timings", "runs"] as const)
      await expect(store.write(kind, "a", "{}")).rejects.toThrow(`${kind} is a link, and could lead elsewhere`);
    for (const name of ["a.json", "a.json.partial", "a.json.tmp"])
      await symlink(join(elsewhere, "victim"), join(out, "cells", name));
    await store.write("cells", "a", text);
    expect((await lstat(store.where("cells", "a"))).isFile()).toBe(true);
    expect(await readdir(elsewhere)).toEqual(["victim"]);
    expect(await readFile(join(elsewhere, "victim"), "utf8")).toBe("as it was");
    // A link that the person names is followed.
    await symlink(elsewhere, workshop.path("named"));
    await writeInto(workshop.path("named"), "krs.csv", "");
    await writeInto(workshop.path("named"), "figures/krs.svg", "");
    expect(await readdir(elsewhere)).toEqual(["figures", "krs.csv", "victim"]);
  });

  it.skipIf(process.platform === "win32")("does not wait for a pipe in place of a record", async () => {
    await using workshop = await Workshop.open();
    const store = new FolderStore(workshop.path("out"));
    await store.write("cells", "a", text);
    execFileSync("mkfifo", [store.where("cells", "pipe")]);
    await expect(store.read("cells", "pipe")).rejects.toThrow(/pipe.json: it is a directory, a pipe or a device/);
    await store.write("cells", "pipe", text);
    expect(await store.read("cells", "pipe")).toBe(text);
  });
});

describe("results", () => {
  it("stand in the order of the concepts' numbers, then of the names of those without a number", async () => {
    const named = ["Tea", "Milk", "Austria"].flatMap((name, i) =>
      ["graddiff", "npo"].map((method) => {
        const result = fakeResult(name, method);
        Object.assign(result.config.concept, { id: i === 2 ? 54 : null });
        return result;
      }),
    );
    const files = new Map(named.map((result) => [cellId(result.config), serializeCell(result, studies)]));
    const store: CellStore = {
      list: async () => [...files.keys()],
      read: async (kind, id) => (kind === "cells" ? files.get(id) : undefined),
      write: async () => {},
      where: (_, id) => id,
    };
    const cells = [...files.keys()].map((id) => ({ id }) as Cell);
    const results = await readResults(store, cells, studies);
    expect(results.damaged).toEqual([]);
    expect(results.cells.map(({ config }) => config.concept.name)).toEqual([
      "Austria",
      "Austria",
      "Milk",
      "Milk",
      "Tea",
      "Tea",
    ]);
  });
});
