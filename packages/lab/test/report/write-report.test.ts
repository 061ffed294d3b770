import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cellPath, writeCell } from "../../src/experiment/cell-file.ts";
import { ExperimentError } from "../../src/experiment/errors.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { fakeResult } from "./results.ts";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "lethe-report-"));
});
afterEach(() => rm(out, { recursive: true, force: true }));

async function page(): Promise<string> {
  const report = await writeReport(out);
  return readFile(report.page, "utf8");
}

describe("the report", () => {
  it("writes its files, the same for the same results", async () => {
    await writeCell(out, "a", fakeResult("Netflix"));
    await writeCell(out, "b", fakeResult("Netflix", "npo"));
    const first = await page();
    expect((await readdir(out)).sort()).toEqual(["cells", "figures", "krs.csv", "report.html"]);
    expect((await readdir(join(out, "figures"))).sort()).toEqual([
      "bleu.svg",
      "krs-released.svg",
      "krs.svg",
      "loss.svg",
    ]);
    expect(await page()).toBe(first);
  });

  it("needs nothing from anywhere else and runs nothing", async () => {
    await writeCell(out, "a", fakeResult());
    const text = await page();
    expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|\son\w+=/i);
    const addresses = [...text.matchAll(/(?:href|src)="([^"]*)"|url\(([^)]*)\)/g)].map(
      (match) => match[1] ?? match[2]!,
    );
    for (const address of addresses) expect(address).toMatch(/^#/);
    const outside = text.replace(/xmlns(:\w+)?="[^"]*"/g, "");
    expect(outside).not.toMatch(/https?:/);
    for (const id of addresses) expect(text).toContain(`id="${id.slice(1)}"`);
  });

  it("escapes names and answers, which are nobody's to trust", async () => {
    const evil = `<img src=x onerror=alert(1)> "'&`;
    const cell = fakeResult(evil, "npo", evil);
    cell.config.retain.name = evil;
    for (const example of [...cell.examples.target, ...cell.examples.unrelated]) {
      Object.assign(example, { question: evil, before: evil, after: evil });
    }
    await writeCell(out, "a", cell);
    const text = await page();
    expect(text).not.toContain("<img");
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(await readFile(join(out, "figures", "krs.svg"), "utf8")).not.toContain("<img");
  });

  it("gives every SVG element on the page an id of its own", async () => {
    await writeCell(out, "a", fakeResult());
    const ids = [...(await page()).matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("says what its numbers cannot show", async () => {
    const cell = fakeResult();
    cell.bleu.unrelated.splice(-1, 1, 0.04);
    cell.vanilla.targetExact = 0.7;
    await writeCell(out, "a", cell);
    const text = await page();
    expect(text).toContain("There is no control in this report.");
    expect(text).toMatch(/Collapsed models.*Harry Potter/s);
    expect(text).toMatch(/Not known before.*Harry Potter \(graddiff, tiny-llama\) \(70%\)/s);
  });

  it("says which concepts and which training are which model's", async () => {
    const cells = { "tiny-llama": ["Netflix", "Harry Potter"], "tiny-olmo": ["Harry Potter", "Olympic Games"] };
    for (const [model, concepts] of Object.entries(cells)) {
      for (const concept of concepts) await writeCell(out, `${model} ${concept}`, fakeResult(concept, "npo", model));
    }
    const text = await page();
    expect(text).toContain("tiny-llama (Netflix, Harry Potter); tiny-olmo (Harry Potter, Olympic Games).");
    const rows = [...text.matchAll(/<tr><td>(.*?)<\/td><td.*?>(.*?)<\/td><td.*?>(.*?)<\/td><\/tr>/g)];
    const row = (name: string) => rows.find(([, first]) => first === name)?.slice(2);
    expect(row("models")).toEqual(["tiny-llama", "tiny-olmo"]);
    expect(row("recipe")).toEqual(["tiny-llama", "tiny-olmo"]);
    const figure = await readFile(join(out, "figures", "krs.svg"), "utf8");
    expect(figure).toContain(">mean (thin: Netflix, Harry Potter)<");
    expect(figure).toContain(">mean (thin: Harry Potter, Olympic Games)<");
  });

  it("shows adapters by what is on record with the cells", async () => {
    await writeCell(out, "a", fakeResult());
    expect(await page()).toContain("not on record");
    await mkdir(join(out, "timings"));
    await writeFile(join(out, "timings", "a.json"), '{ "adapter": { "name": "Adapter <1>", "software": true } }');
    expect(await page()).toContain("Adapter &lt;1&gt; (software)");
  });

  it("leaves out a damaged file and says so, and refuses a folder without results", async () => {
    await expect(writeReport(out)).rejects.toThrow(ExperimentError);
    await writeCell(out, "a", fakeResult("Netflix"));
    await writeFile(cellPath(out, "b"), "{");
    expect((await writeReport(out)).skipped).toEqual([expect.stringMatching(/b\.json is not complete JSON/)]);
  });
});
