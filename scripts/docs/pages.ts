import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { LetheError } from "@lethe/tensor";
import { root } from "../packages.ts";

/** A Markdown file of the repository, as a page of the site. Paths are relative to the repository, with slashes. */
export interface Page {
  readonly source: string;
  /** Where it lies in the site: a README is its folder's index. */
  readonly path: string;
  readonly title: string;
}

/** Sidebar groups, and the files of each. A file that is in none has no page. */
const GROUPS = [
  { text: "Start", of: /^README\.md$|^docs\/(tutorial.*|cluster|memory)\.md$/ },
  { text: "Science", of: /^docs\/.*\.md$/ },
  { text: "Measured figures", of: /^bench\/.*\.md$/ },
  { text: "Packages", of: /^packages\/[^/]+\/README\.md$|^kernels\/README\.md$/ },
  { text: "The repository", of: /^(data|parity|models\/[^/]+)\/README\.md$|^(CONTRIBUTING|SECURITY)\.md$/ },
];

export interface Group {
  readonly text: string;
  readonly pages: readonly Page[];
}

/** The Markdown files of the repository in the groups of the sidebar. A new file in one of their folders is a page without more ado. */
export function pageGroups(): Group[] {
  const files = markdownFiles();
  return GROUPS.map(({ text, of }, i) => {
    const earlier = GROUPS.slice(0, i);
    const own = files.filter((file) => of.test(file) && !earlier.some((group) => group.of.test(file)));
    return { text, pages: own.map(pageOf) };
  });
}

function markdownFiles(): string[] {
  const folders = ["docs", "bench", "packages", "kernels", "data", "parity", "models"];
  const skipped = /(^|\/)(node_modules|dist|site|src|test|\.vitepress)(\/|$)/;
  const below = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (skipped.test(path)) return [];
      return entry.isDirectory() ? below(path) : path.endsWith(".md") ? [path] : [];
    });
  return [...readdirSync(root).filter((name) => name.endsWith(".md")), ...folders.flatMap(below)].sort(byPlace);
}

/** By folder, and in each its README first. */
function byPlace(a: string, b: string): number {
  const [placeA, placeB] = [a, b].map((file) => file.replace(/README\.md$/, ""));
  return placeA! < placeB! ? -1 : 1;
}

function pageOf(source: string): Page {
  const [, title] = /^# (.*)$/m.exec(readFileSync(join(root, source), "utf8")) ?? [];
  if (!title) throw new LetheError(`${source} has no heading`);
  return { source, path: source.replace(/README\.md$/, "index.md"), title: title.replaceAll("`", "") };
}

/** What a link of a Markdown file leads to, or null where nothing is there. */
export function targetOf(source: string, link: string): { readonly path: string; readonly isFolder: boolean } | null {
  const path = normalize(join(dirname(source), decodeURIComponent(link)));
  const full = join(root, path);
  if (relative(root, full).startsWith("..") || !existsSync(full)) return null;
  const isFolder = statSync(full).isDirectory();
  return { path: path.replaceAll("\\", "/").replace(/\/$/, ""), isFolder };
}
