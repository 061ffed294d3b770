import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { launch, there, whySkipped } from "../../packages/lab/test/browser/chromium.ts";
import { clashes, contrasts } from "../../packages/lab/test/browser/looks.ts";
import type { Results } from "../results.ts";
import { judgeCase } from "../targets.ts";
import { benchPage } from "./page.ts";

const spread = { median: 0.5, low: 0.4, high: 0.6 };
const row = (name: string, shape: string) => ({
  name,
  shape,
  seconds: 0.001,
  gflops: null,
  gigabytesPerSecond: 2,
  itemsPerSecond: null,
  unit: null,
  timesPlain: spread,
  shareOfPeak: spread,
});
const rows = [row("fill", "512×1024"), row("matmul planned", "<1>×4096×1024 bf16 a·bᵀ"), row("pass decode", "tiny")];
const results: Results = {
  adapter: "an <adapter>",
  capabilities: {} as Results["capabilities"],
  roofline: { flopsPerSecond: 1e11, bytesPerSecond: 1e10 },
  rows,
  left: [{ name: "matmul planned 512×11008×4096", why: "a run would take about 1.6 s here" }],
  libraries: ["Lethe", "tfjs", "onnxruntime"].map((name) => ({ name, version: "1" })),
  peers: [
    {
      name: "matmul",
      shape: "512×512×512",
      roundSeconds: 1,
      entries: [
        { name: "Lethe", seconds: 0.006, dispatches: 1, times: { median: 1, low: 1, high: 1 }, problem: null },
        { name: "tfjs", seconds: 0.06, dispatches: 1, times: { median: 10, low: 9, high: 11 }, problem: null },
        { name: "onnxruntime", seconds: null, dispatches: null, times: null, problem: "gave a wrong output" },
      ],
    },
  ],
  commit: "5f26c17",
  against: [{ name: "pass decode tiny", seconds: 1, secondsBefore: 2, times: spread, verdicts: [] }],
  verdicts: rows.flatMap(judgeCase),
};

test("a page holds every row, its chart and its verdict, and what it is given is text", async () => {
  const page = await benchPage(results);
  expect(page).toContain("an &lt;adapter&gt;");
  expect(page).toContain("&lt;1&gt;×4096×1024");
  expect(page).toContain("pass: 50 (40–60) % of copy, at least 40");
  expect(page).toContain("gave a wrong output");
  expect(page.match(/<svg /g)).toHaveLength(5);
  expect(await benchPage(results)).toBe(page);
});

test.skipIf(!there)(`a page can be read on a telephone, light and dark${whySkipped}`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "lethe-bench-page-"));
  const file = join(folder, "page.html");
  writeFileSync(file, await benchPage(results));
  const browser = await launch();
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ viewport: { width: 390, height: 900 }, colorScheme });
      await page.goto(pathToFileURL(file).href);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      expect(await page.evaluate(clashes)).toEqual([]);
      expect((await page.evaluate(contrasts)).filter(({ ratio, drawn }) => ratio < (drawn ? 3 : 4.5))).toEqual([]);
      await page.close();
    }
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
});
