import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readText, type Text } from "@lethe/decoder";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Debian's Chromium, or the one that CHROMIUM names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const there = existsSync(executablePath);

const golden = new URL("../../../decoder/test/golden/", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, golden), "utf8");
const names = ["llama-2", "llama-2-metaspace", "llama-3", "olmo"] as const;

interface TextCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly skipped: string;
  readonly spelt: string;
}

/** A page with a tokenizer in `globalThis.tokenizer`, read from files as a visitor picks them. */
async function script(): Promise<string> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `
        import { readText } from "@lethe/decoder";
        import { filesFolder } from "@lethe/tensor";
        globalThis.readTokenizer = async (files) => {
          const picked = Object.entries(files).map(([name, content]) => new File([content], name));
          globalThis.tokenizer = await readText(filesFolder(picked));
        };`,
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
    },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    conditions: ["lethe-source"],
    // The kernels, which are not asked for here, are read from disk in the repository.
    external: ["node:fs"],
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs, imports }) => [
    ...Object.keys(inputs),
    ...imports.map(({ path }) => path),
  ]);
  expect(used.some((path) => path.endsWith("@huggingface/tokenizers/dist/tokenizers.mjs"))).toBe(true);
  expect(used.filter((path) => /\.node\.ts$|^node:/.test(path))).toEqual([]);
  return outputFiles[0]!.text;
}

describe.skipIf(!there)(`text in a browser${there ? "" : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    const content = await script();
    // A container's root has no sandbox.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
    await page.addScriptTag({ content, type: "module" });
  });
  afterAll(() => browser?.close());

  it.each(names)("%s gives the texts and tokens of transformers, and the stream of Node", async (name) => {
    const files = Object.fromEntries(
      ["tokenizer.json", "tokenizer_config.json"].map((file) => [file, read(`${name}/${file}`)]),
    );
    const { cases } = JSON.parse(read(`${name}/expected.json`)) as { cases: readonly TextCase[] };
    const got = await page.evaluate(
      async ({ files, cases }) => {
        const global = globalThis as unknown as {
          readTokenizer(files: Record<string, string>): Promise<void>;
          tokenizer: Text;
        };
        await global.readTokenizer(files);
        const text = global.tokenizer;
        const pieces = async (ids: readonly number[]) => {
          const stream = await text.decodeStream([]);
          const made: string[] = [];
          for (const id of ids) made.push(await stream.step(id));
          return [...made, await stream.end()];
        };
        return Promise.all(
          cases.map(async (one) => ({
            text: one.text,
            ids: await text.encode(one.text),
            skipped: await text.decode(one.ids),
            spelt: await text.decode(one.ids, { special: true }),
            pieces: await pieces(one.ids),
          })),
        );
      },
      { files, cases },
    );
    const here = (await readText(memoryFolder(files)))!;
    for (const [i, { text, ids, skipped, spelt }] of cases.entries()) {
      const stream = await here.decodeStream([]);
      const pieces: string[] = [];
      for (const id of ids) pieces.push(await stream.step(id));
      expect(got[i]).toEqual({ text, ids, skipped, spelt, pieces: [...pieces, await stream.end()] });
    }
  });

  it("says what to do with a tokenizer that only the native library reads", async () => {
    const tokenizer = JSON.parse(read("olmo/tokenizer.json"));
    const files = { "tokenizer.json": JSON.stringify({ ...tokenizer, normalizer: { type: "StripAccents" } }) };
    const reading = page.evaluate(
      (given) => (globalThis as unknown as { readTokenizer(files: object): Promise<void> }).readTokenizer(given),
      files,
    );
    await expect(reading).rejects.toThrow(
      "normalizer is not one of those that Lethe knows, so the native tokenizer library has to read it, and it runs in Node, not in a browser. " +
        "Give a tokenizer of your own with { tokenizer }",
    );
  });
});
