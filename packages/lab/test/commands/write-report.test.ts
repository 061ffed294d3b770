import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { csvParse } from "d3-dsv";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CellResult } from "../../src/cells/cell.ts";
import { writeReport } from "../../src/commands/write-report.ts";
import { toPng } from "../../src/report/figures/png.ts";
import { html } from "../../src/report/html.ts";
import { renderReport } from "../../src/report/page.ts";
import { studies } from "../../src/studies/list.ts";
import { fakeResult } from "../fake-cell.ts";
import { fakeExperiment } from "../fake-experiment.ts";

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "lethe-report-"));
});
afterEach(() => rm(out, { recursive: true, force: true }));

async function page(cells: readonly CellResult[], adapters: readonly string[] = []): Promise<string> {
  return readFile((await writeReport(out, { cells, adapters }, studies)).page, "utf8");
}

describe("the report", () => {
  it("writes its files, the same for the same results", async () => {
    const cells = [fakeResult("Netflix"), fakeResult("Netflix", "npo")];
    const first = await page(cells);
    expect((await readdir(out)).sort()).toEqual([
      "data",
      "figures",
      "findings.csv",
      "findings.json",
      "krs.csv",
      "report.html",
      "summaries",
    ]);
    const figures = ["bleu", "krs", "krs-controls", "krs-methods", "krs-released", "loss"];
    expect((await readdir(join(out, "figures"))).sort()).toEqual(
      figures.flatMap((name) => [`${name}.png`, `${name}.svg`]).sort(),
    );
    expect(await readdir(join(out, "data"))).toContain("recovery-by-layer.csv");
    expect(await page(cells)).toBe(first);
  });

  it("loads nothing and runs nothing", async () => {
    const text = await page([fakeResult()]);
    expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|\son\w+=/i);
    const addresses = [...text.matchAll(/(?:href|src)="([^"]*)"|url\(([^)]*)\)/g)].map(
      (match) => match[1] ?? match[2]!,
    );
    // A link leads to a place on the page, or saves what the page holds.
    for (const address of addresses) expect(address).toMatch(/^(#|data:)/);
    const outside = text.replace(/xmlns(:\w+)?="[^"]*"/g, "");
    expect(outside).not.toMatch(/https?:/);
    const ids = addresses.filter((address) => address.startsWith("#"));
    for (const id of ids) expect(text).toContain(`id="${id.slice(1)}"`);
  });

  it("escapes names and answers, because they come from files and models", async () => {
    const evil = `<img src=x onerror=alert(1)> "'&`;
    const cell = fakeResult(evil, "npo", evil);
    Object.assign(cell.config.subject, { retain: { id: 0, name: evil, sha256: "" } });
    for (const example of [...cell.subject.examples.target, ...cell.subject.examples.unrelated]) {
      Object.assign(example, { question: evil, before: evil, after: evil });
    }
    const text = await page([cell], [evil]);
    expect(text).not.toContain("<img");
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(await readFile(join(out, "figures", "krs.svg"), "utf8")).not.toContain("<img");
  });

  it("gives every element on the page an id of its own", async () => {
    const ids = [...(await page([fakeResult()])).matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!);
    expect(ids).toContain("limits");
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("lets the keyboard scroll whatever may be wider than the screen, and says what it is", async () => {
    const text = await page([fakeResult("Netflix"), fakeResult("Austria", "npo")]);
    const regions = [...text.matchAll(/<div class="wide"(.*?)>/g)].map(([, attributes]) => attributes!);
    expect(regions.length).toBe([...text.matchAll(/<table class="(scores|stacked)"|<svg /g)].length);
    const names = regions.map((attributes) => / role="region" aria-label="([^"]+)" tabindex="0"/.exec(attributes)?.[1]);
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
  });

  it("says what its numbers cannot show", async () => {
    const cell = fakeResult();
    cell.subject.bleu.unrelated.splice(-1, 1, 0.04);
    Object.assign(cell.subject.vanilla.target, { asked: 10, judged: 10, right: 7, silent: 1, compared: 9 });
    const text = await page([cell]);
    expect(text).toContain("There is no control in this report.");
    expect(text).toMatch(/Collapsed models.*Harry Potter/s);
    expect(text).toMatch(/Not known before.*Harry Potter \(Gradient Difference, tiny-llama\) \(70%\)/s);
    expect(text).toMatch(/Questions left out.*tiny-llama\): 1 of 10 target questions \(1 without an answer\)\./s);
  });

  it("says which concepts and which training belong to which model", async () => {
    const models = { "tiny-llama": ["Netflix", "Harry Potter"], "tiny-olmo": ["Harry Potter", "Olympic Games"] };
    const text = await page(
      Object.entries(models).flatMap(([model, concepts]) =>
        concepts.map((concept) => {
          const cell = fakeResult(concept, "npo", model);
          const learningRate = model === "tiny-olmo" ? 1.4e-3 : 8e-4;
          const training = { ...(cell.config.subject as { training: object }).training, learningRate };
          return { ...cell, config: { ...cell.config, subject: { ...cell.config.subject, training } } } as typeof cell;
        }),
      ),
    );
    expect(text).toContain("tiny-llama (Netflix, Harry Potter); tiny-olmo (Harry Potter, Olympic Games).");
    const rows = [...text.matchAll(/<tr><th scope="row">(.*?)<\/th><td.*?>(.*?)<\/td><td.*?>(.*?)<\/td><\/tr>/g)];
    const row = (name: string) => rows.find(([, first]) => first === name)?.slice(2);
    expect(text).toContain("<th>tiny-llama · NPO</th><th>tiny-olmo · NPO</th>");
    expect(row("training: learning rate")).toEqual(["0.0008", "0.0014"]);
    expect(row("name in files")).toEqual(["npo", "npo"]);
    expect(row("options: beta")).toEqual(["0.1", "0.1"]);
    expect(row("source")).toEqual(["Zhang et al. 2024", "Zhang et al. 2024"]);
    // A concept has one pattern in all rows.
    const figure = await readFile(join(out, "figures", "krs-controls.svg"), "utf8");
    expect(figure).toContain(">thin: ——— Netflix,  - - - Harry Potter,  · · · Olympic Games<");
  });

  it("says how the models were asked and judged, and what was left out", async () => {
    const cell = fakeResult();
    Object.assign(cell.config.evaluation, { prompt: "<i>{question}", known: true });
    Object.assign(cell.subject.vanilla.unrelated, {
      asked: 9,
      judged: 7,
      right: 5,
      unknown: 2,
      silent: 2,
      compared: 5,
    });
    const text = await page([cell]);
    expect(text).toContain("the prompt &quot;&lt;i&gt;{question}&quot;");
    expect(text).toMatch(/keywords: share of .*; right from 0\.5/);
    expect(text).toContain("without those that the vanilla model answers wrong");
    expect(text).toMatch(
      /5 of 7 right by keywords .*, 2 without an expected answer not judged, 2 without an answer left out, 2 not known/,
    );
    expect(text).toContain("4 of 9 unrelated questions (2 without an answer, 2 not known)");
    expect(text).not.toContain("Not known before");
    const plain = await page([fakeResult()]);
    expect(plain).toContain("the paper&#39;s prompt (qa)");
    expect(plain).not.toContain("Questions left out");
  });

  it("gives results as open-unlearning does: flat, one file a cell", async () => {
    const cell = fakeResult("Netflix", "npo");
    await page([cell]);
    const [name] = await readdir(join(out, "summaries"));
    expect(name).toMatch(/^tiny-llama--netflix--npo--[0-9a-f]{8}_SUMMARY\.json$/);
    const summary = JSON.parse(await readFile(join(out, "summaries", name!), "utf8"));
    for (const value of Object.values(summary)) expect(value).toEqual(expect.any(Number));
    expect(summary).toMatchObject({ target_bleu: cell.subject.bleu.target.at(-1), vanilla_target_right: 1 });
    expect(summary["krs_m+A_max"]).toBeGreaterThan(0.5);
  });

  it("states findings beside their controls, on the page and in files", async () => {
    const text = await page(fakeExperiment());
    expect(text).toMatch(/<h2>Findings<\/h2>.*Restoring W_V brings back almost nothing.*<h2>Results<\/h2>/s);
    expect(text).toMatch(/noise [\d.]+, (not )?exceeded <span class="quiet">\(difference /);
    expect(text).not.toContain("There is no control in this report");
    const findings = JSON.parse(await readFile(join(out, "findings.json"), "utf8"));
    const [first] = findings;
    expect(first.controls.map(({ control }: { control: string }) => control)).toEqual([
      "noise",
      "overwritten",
      "never",
    ]);
    const rows = csvParse(await readFile(join(out, "findings.csv"), "utf8"));
    const own = rows.filter(({ id, model, overall }) => id === first.id && model === first.model && overall === "true");
    expect(own.map(({ control }) => control)).toEqual(["noise", "overwritten", "never"]);
    expect(Number(own[0]!.excess)).toBe(first.controls[0].excess.value);
  });

  it("draws figures as pictures that hold their text", async () => {
    await page([fakeResult()]);
    const picture = await readFile(join(out, "figures", "krs.png"));
    expect([...picture.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    const svg = await readFile(join(out, "figures", "krs.svg"), "utf8");
    const silent = toPng(svg.replace(/<text.*?<\/text>/gs, ""));
    expect(picture.length).toBeGreaterThan(1.1 * silent.length);
  });

  it("names the adapters, where they are on record", async () => {
    expect(await page([fakeResult()])).toContain("not on record");
    expect(await page([fakeResult()], ["Adapter <1> (software)"])).toContain("Adapter &lt;1&gt; (software)");
  });

  it("shows no training of a subject that was not trained", async () => {
    const { config, subject, ...cell } = fakeResult();
    const { steps: _, ...record } = subject as typeof subject & { steps: unknown };
    const given = { kind: "given", unlearned: { name: "their-model", sha256: "d".repeat(64) } } as const;
    const text = await page([{ ...cell, config: { ...config, subject: given }, subject: record }]);
    expect(text).toContain('<th scope="row">tiny-llama · their-model</th>');
    expect(text).not.toContain("Training loss");
    const drawn = (await readdir(join(out, "figures"))).filter((name) => name.endsWith(".svg"));
    expect(drawn.sort()).toEqual(["krs-controls.svg", "krs-released.svg", "krs.svg"]);
  });

  it("knows no study: a page without one, and one with a study of its own", async () => {
    const reported = { cells: [fakeResult()], adapters: [], findings: [] };
    const bare = await renderReport({ ...reported, studies: [] });
    expect(
      Object.keys(bare)
        .filter((name) => !name.startsWith("data/"))
        .sort(),
    ).toEqual(["figures/bleu.svg", "figures/loss.svg", "report.html"]);
    // A cell's configuration names what was measured, and saved data can hold any letters.
    const own = bare["report.html"]!.replace(/<pre>.*?<\/pre>|href="data:[^"]*"/gs, "");
    expect(own).not.toMatch(/KRS|Knowledge Recovery|W_V/);
    const depth = {
      title: "Depth",
      summary: html`<p>A summary.</p>`,
      sections: [{ title: "By depth", body: html`<p>A body.</p>` }],
      limits: html`<p>A limit.</p>`,
      files: { "depth.csv": "layer\n" },
    };
    const files = await renderReport({ ...reported, studies: [depth] });
    expect(files["depth.csv"]).toBe("layer\n");
    expect(files["report.html"]).toMatch(
      /A summary\..*<h2>By depth<\/h2>\s<p>A body\..*<h3>Depth<\/h3>\s<p>A limit\./s,
    );
  });
});
