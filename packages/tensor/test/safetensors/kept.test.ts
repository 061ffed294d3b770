import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type FileServer, serveFiles } from "@lethe/testing/file-server";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { httpSource } from "../../src/safetensors/index.ts";

/** Debian's Chromium, or the one that CHROMIUM names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const there = existsSync(executablePath);

const content = Uint8Array.from({ length: 2 ** 19 }, (_, i) => (i * 7) % 251);
const page = new TextEncoder().encode("<!doctype html><title>x</title>");

let etag: string | undefined;
let server: FileServer;
beforeEach(async () => {
  etag = '"1"';
  server = await serveFiles(
    new Map([
      ["/page", page],
      ["/file", content],
    ]),
    {
      headers: (path) =>
        path === "/page" ? { "Content-Type": "text/html" } : etag === undefined ? {} : { ETag: etag },
    },
  );
});
afterEach(() => server[Symbol.asyncDispose]());

describe.skipIf(!there)(`the browser's storage${there ? "" : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let tab: Page;
  let script: string;
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("../../src/safetensors/index.ts", import.meta.url))],
      bundle: true,
      format: "iife",
      globalName: "lethe",
      platform: "browser",
      write: false,
    });
    script = outputFiles[0]!.text;
    // A container's root has no sandbox.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    tab = await browser.newPage();
    await tab.goto(`${server.url}/page`);
    await tab.addScriptTag({ content: script });
  });
  afterEach(() => tab.close());

  /** Opens the file in the page, reads a range of it beyond what opening brings, and returns the requests that this took. */
  async function read(keep: boolean): Promise<number> {
    const before = server.requests.length;
    const bytes = await tab.evaluate(async (keep) => {
      const { httpSource } = (globalThis as unknown as { lethe: typeof import("../../src/safetensors/index.ts") })
        .lethe;
      const source = await httpSource(new URL("/file", location.href), { keep });
      return [...(await source.read(300_000, 9))];
    }, keep);
    expect(bytes).toEqual([...content.slice(300_000, 300_009)]);
    return server.requests.length - before;
  }
  const kept = () =>
    tab.evaluate(async () => {
      const keys = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
      return keys.flat().length;
    });

  it("keeps ranges where the caller wants it, until the file changes", async () => {
    expect([await read(false), await read(false), await kept()]).toEqual([2, 2, 0]);
    expect([await read(true), await read(true), await read(true), await kept()]).toEqual([2, 1, 1, 1]);
    etag = '"2"';
    expect([await read(true), await read(true), await kept()]).toEqual([2, 1, 1]);
    await tab.evaluate(() => (globalThis as unknown as { lethe: { forgetKept(): Promise<void> } }).lethe.forgetKept());
    expect([await kept(), await read(true)]).toEqual([0, 2]);
  });

  it("keeps nothing of a file whose states cannot be told apart", async () => {
    etag = undefined;
    expect([await read(true), await read(true), await kept()]).toEqual([2, 2, 0]);
  });
});

it("Node keeps nothing", async () => {
  for (let time = 1; time <= 2; time++) {
    const source = await httpSource(`${server.url}/file`, { keep: true });
    await source.read(300_000, 9);
    expect(server.requests).toHaveLength(2 * time);
  }
});
