import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serveHub } from "@lethe/testing/hub-server";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../page/serve.ts";
import { builtPage, root } from "./built-page.ts";
import { launch, there, whySkipped } from "./chromium.ts";

const MODEL = join(root, "models/tiny-olmo");
const NAME = "somebody/tiny-olmo";
const HUB = "https://huggingface.co";

describe.skipIf(!there)(`models of a person's own in a tab${whySkipped}`, () => {
  let built: Awaited<ReturnType<typeof builtPage>>;
  let host: Awaited<ReturnType<typeof serve>>;
  let hub: Awaited<ReturnType<typeof serveHub>>;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    built = await builtPage();
    host = await serve(built.page, "/");
    const files = Object.fromEntries(
      readdirSync(MODEL).map((name) => [name, new Uint8Array(readFileSync(join(MODEL, name)))]),
    );
    hub = await serveHub({ name: NAME, commit: "c0ffee".padEnd(40, "0"), revisions: ["main"], files });
    browser = await launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
  });
  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    // The Hub's own address, answered by a server of this test, with what browsers ask of a foreign host.
    await page.route(`${HUB}/**`, async (route) => {
      const request = route.request();
      const path = request.url().slice(HUB.length);
      const response = await page.request.fetch(`${hub.url}${path}`, {
        method: request.method(),
        headers: request.headers(),
        ...(request.postData() !== null && { data: request.postData()! }),
      });
      const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*" };
      await route.fulfill({ response, headers: { ...response.headers(), ...headers } });
    });
    await page.goto(`${host.address}#epochs=1&controls=`);
    await ready();
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
    await built?.[Symbol.asyncDispose]();
  });

  const ready = () => page.getByRole("button", { name: "Unlearn and measure", disabled: false }).waitFor();

  /** Unlearns until there is a first figure of it. */
  async function trains(): Promise<void> {
    await ready();
    await page.getByRole("button", { name: "Unlearn and measure" }).click();
    await page.locator(".figures svg").first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await ready();
  }

  it("takes one from the Hub by its name", async () => {
    await page.getByLabel("Model", { exact: true }).selectOption({ label: "from the Hugging Face Hub, or a URL …" });
    await page.getByLabel("Name or URL").fill(NAME);
    await page.getByLabel("Name or URL").press("Enter");
    await page.waitForURL(/model=somebody/);
    await trains();
    expect(hub.requests.some(({ path }) => path.startsWith("/large/"))).toBe(true);
  });

  it("says what is wrong with a name that the Hub does not know", async () => {
    await page.getByLabel("Model", { exact: true }).selectOption({ label: "from the Hugging Face Hub, or a URL …" });
    await page.getByLabel("Name or URL").fill("somebody/nothing");
    await page.getByLabel("Name or URL").press("Tab");
    await page.getByRole("alert").getByText("somebody/nothing").waitFor();
    expect(await page.getByRole("button", { name: "Unlearn and measure" }).isDisabled()).toBe(true);
  });

  it("takes a folder that was chosen", async () => {
    await page.getByLabel("Model", { exact: true }).selectOption({ label: "files of yours …" });
    await page.getByLabel("Folder").setInputFiles(MODEL);
    await trains();
  });

  it("takes a folder that was dropped", async () => {
    const protocol = await page.context().newCDPSession(page);
    const data = { items: [], files: [MODEL], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await protocol.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
    await page.waitForURL(/model=/);
    await ready();
    expect(await page.getByLabel("Model", { exact: true }).locator("option:checked").textContent()).toBe(
      "files of yours …",
    );
  });
});
