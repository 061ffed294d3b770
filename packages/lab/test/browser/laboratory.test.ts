import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openDevice } from "@lethe/tensor";
import type { AxeResults } from "axe-core";
import { strFromU8, unzipSync } from "fflate";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceRunner } from "../../src/cells/device-runner.ts";
import { runCli } from "../../src/commands/experiment/cli.ts";
import { processParts } from "../../src/commands/experiment/process-parts.ts";
import { argumentsOf, settingsOf } from "../../src/page/settings.ts";
import { printed } from "../commands/printed.ts";
import { serve } from "../page/serve.ts";
import { builtPage, root } from "./built-page.ts";
import { launch, there, whySkipped } from "./chromium.ts";
import { clashes, contrasts } from "./looks.ts";
import { mainThreadTasks } from "./main-thread.ts";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The preset's questions, one epoch, no control: what a study does at all, in half a minute on two busy cores. */
const HASH = "#epochs=1&controls=";

/** A task of the page that takes longer, in milliseconds, is a long one, as browsers count them. */
const LONGEST_TASK = 50;

let built: Awaited<ReturnType<typeof builtPage>>;
beforeAll(async () => {
  built = await builtPage();
});
afterAll(() => built?.[Symbol.asyncDispose]());

describe("the built page", () => {
  it("imports nothing of Node, and its main thread has little to load", () => {
    const assets = join(built.page, "assets");
    const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
    for (const name of scripts)
      expect(readFileSync(join(assets, name), "utf8")).not.toMatch(
        /from\s*"node:|import\("node:|__vite-browser-external/,
      );
    const main = scripts.filter((name) => name.startsWith("index"));
    expect(main).toHaveLength(1);
    expect(readFileSync(join(assets, main[0]!)).length).toBeLessThan(100_000);
  });

  it("names its own files by relative addresses", () => {
    const page = readFileSync(join(built.page, "index.html"), "utf8");
    expect(page.match(/(?:src|href)="([^"]+)"/g)!.filter((link) => /="(?!\.\/|data:)/.test(link))).toEqual([]);
  });
});

describe.skipIf(!there)(`the laboratory in a tab${whySkipped}`, () => {
  let browser: Browser;
  let page: Page;
  let host: Awaited<ReturnType<typeof serve>>;
  const errors: string[] = [];
  beforeAll(async () => {
    host = await serve(built.page, "/any/folder/");
    browser = await launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
    page = await browser.newPage({ viewport: { width: 1400, height: 900 }, acceptDownloads: true });
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`${host.address}${HASH}`);
    await page.getByRole("button", { name: "Unlearn and measure", disabled: false }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.[Symbol.asyncDispose]();
  });

  /** What axe finds wrong, by WCAG 2.2 A and AA. */
  async function faults(): Promise<string[]> {
    await page.addScriptTag({ path: axe });
    const found = (await page.evaluate(() =>
      (globalThis as unknown as { axe: { run(options: object): Promise<unknown> } }).axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      }),
    )) as AxeResults;
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`));
  }

  it("restores the settings of a link, and keeps them in the address", async () => {
    expect(await page.getByLabel("Epochs").inputValue()).toBe("1");
    await page.getByLabel("Concept", { exact: true }).selectOption("Netflix");
    await page.waitForURL(/concept=Netflix/);
    await page.getByLabel("Concept", { exact: true }).selectOption("Harry Potter");
    await page.waitForURL((url) => !url.hash.includes("concept"));
  });

  it("runs a study while the page stays free, and shows it grow", async () => {
    const tasks = await mainThreadTasks(browser, page, async () => {
      await page.getByRole("button", { name: "Unlearn and measure" }).click();
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await page.locator(".figures svg").first().waitFor();
      await page.getByText("Finished.").first().waitFor({ timeout: 170_000 });
      await page.locator(".curve svg").waitFor();
    });
    // The trace has whole tasks, of figures and answers too.
    expect(tasks.length).toBeGreaterThan(100);
    expect(tasks.filter((duration) => duration > LONGEST_TASK)).toEqual([]);
    expect(await page.locator("table.picks button").count()).toBe(4 * 12);
    expect(errors).toEqual([]);
  }, 180_000);

  it("gives the files that the command line writes on the same adapter, byte for byte", async () => {
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "All results" }).click();
    const files = unzipSync(new Uint8Array(await readFile((await (await saved).path())!)));
    const out = join(built.folder, "out");
    const { streams, texts } = printed();
    const args = ["--out", out, ...argumentsOf({ ...settingsOf(HASH), model: join(root, "models/tiny-llama") })];
    const openRunner: typeof processParts.openRunner = async (studies) =>
      deviceRunner(await openDevice({ adapter: "swiftshader" }), studies);
    expect(await runCli(args, { ...processParts, ...streams, openRunner }), texts.err).toBe(0);
    const cells = readdirSync(join(out, "cells"));
    expect(cells).toHaveLength(1);
    for (const name of [`cells/${cells[0]}`, "krs.csv", "findings.csv", "figures/krs.svg"])
      expect(strFromU8(files[name]!), name).toBe(await readFile(join(out, name), "utf8"));
    expect(Object.keys(files)).toContain("report.html");
  });

  it("reads an answer with a part restored, by the keyboard alone, and weighs the question's words", async () => {
    await page.getByRole("button", { name: /^m restored around layer 6: KRS/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "With m restored around layer 6" }).waitFor();
    await page.locator("[aria-live][aria-busy=false] table.scores").waitFor();
    expect(await page.locator("table.scores tbody tr").count()).toBeGreaterThan(3);
    await page.getByRole("button", { name: "Which words count?" }).click();
    await page.getByRole("table", { name: "What each word does for the answer" }).waitFor();
  });

  it.each([
    [1400, "light"],
    [1400, "dark"],
    [390, "light"],
    [390, "dark"],
  ] as const)("at %i pixels and %s, fits and can be read", async (width, colorScheme) => {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    expect(await page.evaluate(clashes)).toEqual([]);
    const unread = (await page.evaluate(contrasts)).filter(({ ratio, drawn }) => ratio < (drawn ? 3 : 4.5));
    expect(unread).toEqual([]);
  });

  it("has no fault that axe knows, by WCAG 2.2 AA", async () => {
    expect(await faults()).toEqual([]);
  });

  it("says what to do where there is no WebGPU", async () => {
    const plain = await launch("--disable-features=WebGPU", "--disable-blink-features=WebGPU");
    const without = await plain.newPage();
    await without.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
    await without.addInitScript(() => delete (Navigator.prototype as { gpu?: unknown }).gpu);
    await without.goto(host.address);
    await without.getByRole("heading", { name: "This browser has no WebGPU" }).waitFor();
    expect(await without.getByRole("button", { name: "Unlearn and measure" }).isDisabled()).toBe(true);
    await plain.close();
  });
});
