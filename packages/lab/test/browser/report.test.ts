import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeReport } from "../../src/commands/write-report.ts";
import { studies } from "../../src/studies/list.ts";
import { fakeExperiment } from "../fake-experiment.ts";
import { launch, there, whySkipped } from "./chromium.ts";
import { clashes, contrasts } from "./looks.ts";

describe.skipIf(!there)(`the report in a browser${whySkipped}`, () => {
  let out: string;
  let browser: Browser;
  let address: string;
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), "lethe-browser-"));
    const { page } = await writeReport(
      out,
      { cells: fakeExperiment(), adapters: ["a test"] },
      studies,
      "npm run experiment",
    );
    address = pathToFileURL(page).href;
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(out, { recursive: true, force: true });
  });

  /** Opens the report with everything unfolded, and counts what it asks of the network. */
  async function open(width: number, colorScheme: "light" | "dark"): Promise<{ page: Page; requests: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(address);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll("details")) details.open = true;
    });
    return { page, requests };
  }

  it.each([1400, 390])(
    "at %i pixels, asks the network for nothing, does not overflow, and no text lies on another",
    async (width) => {
      const { page, requests } = await open(width, "light");
      expect(requests).toEqual([address]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await page.evaluate(clashes)).toEqual([]);
      await page.close();
    },
  );

  it.each(["light", "dark"] as const)(
    "has text that can be read on its background when the reader's system is %s",
    async (scheme) => {
      const { page } = await open(1400, scheme);
      const found = await page.evaluate(contrasts);
      expect(found.length).toBeGreaterThan(100);
      expect(found.filter(({ ratio, drawn }) => ratio < (drawn ? 3 : 4.5))).toEqual([]);
      await page.close();
    },
  );

  it("saves the data of a figure by one click", async () => {
    const { page } = await open(1400, "light");
    const saved = page.waitForEvent("download");
    await page.getByLabel("Recovery by layer: data (CSV)", { exact: true }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe("recovery-by-layer.csv");
    const text = await readFile((await download.path())!, "utf8");
    expect(text).toBe(await readFile(join(out, "data", "recovery-by-layer.csv"), "utf8"));
    expect(text.split("\n").length).toBeGreaterThan(2 * 4 * 12);
    await page.close();
  });
});
