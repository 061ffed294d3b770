import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../packages.ts";
import { deadLinks } from "./check-links.ts";
import { figurePages } from "./figures.ts";
import { pageGroups, targetOf } from "./pages.ts";

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "lethe-docs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("a link of the site leads to a file, and its fragment to a place there", () => {
  const there = [
    '<a class="x" href="/lethe/a/">',
    '<a href="/lethe/a/#b%C3%A9&amp;">',
    '<a href="b.html#top">',
    '<a href="b.html#">',
    '<a href="#here">',
    '<img alt="" src="/lethe/p.svg">',
    '<a href="https://example.org/none">',
    '<a href="mailto:a@b.c">',
    '<script src="/lethe/p.svg">const text = \'<a href="/none">\';</script>',
  ];
  const dead = ["/lethe/c/", "/a/", "/lethe/a/#none", "c.html#here", "#there", "../p.svg"];
  const folder = folderOf({
    "index.html": `<p id="here">${there.join("\n")}${dead.map((link) => `<a href="${link}">`).join("\n")}`,
    "a/index.html": '<h2 id="bé&amp;">',
    "b.html": '<h1 id="top">',
    "p.svg": "",
  });
  expect(deadLinks(folder, "/lethe/")).toEqual(dead.map((link) => `index.html: ${link}`));
});

test("every Markdown file in the folders of the site is a page in one group, and a README its folder's index", () => {
  const pages = pageGroups().flatMap((group) =>
    group.pages.map(({ source, path }) => [source, [group.text, path]] as const),
  );
  expect(new Set(pages.map(([source]) => source)).size).toBe(pages.length);
  expect(Object.fromEntries(pages)).toMatchObject({
    "README.md": ["Start", "index.md"],
    "docs/paper/README.md": ["Science", "docs/paper/index.md"],
    "bench/NOTES.md": ["Measured figures", "bench/NOTES.md"],
    "packages/tensor/README.md": ["Packages", "packages/tensor/index.md"],
    "CONTRIBUTING.md": ["The repository", "CONTRIBUTING.md"],
  });
  expect(targetOf("packages/auto/README.md", "../llama/README.md")).toEqual({
    path: "packages/llama/README.md",
    isFolder: false,
  });
  expect(targetOf("packages/auto/README.md", "../lama/README.md")).toBeNull();
  expect(targetOf("README.md", "../outside")).toBeNull();
});

test("measured figures become tables that hold every record", () => {
  const page = figurePages().find(({ title }) => title === "mesa-llvmpipe")!;
  const { roofline, rows } = JSON.parse(readFileSync(join(root, page.source), "utf8")) as {
    readonly roofline: { readonly bytesPerSecond: number };
    readonly rows: readonly { readonly name: string; readonly shape: string; readonly seconds: number }[];
  };
  const shown = (value: number) => String(Number(value.toPrecision(4)));
  expect(page.text).toContain(
    `## roofline\n\n| name | value |\n| --- | --- |\n| bytesPerSecond | ${shown(roofline.bytesPerSecond)} |`,
  );
  expect(rows.length).toBeGreaterThan(50);
  for (const { name, shape, seconds } of rows)
    expect(page.text).toContain(`| ${name} | ${shape} | ${shown(seconds)} |`);
});
