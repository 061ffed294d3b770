import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { root } from "../packages.ts";
import { type Page, pageGroups, targetOf } from "./pages.ts";

/** A link or picture of Markdown, an angle bracket, and what must be read as neither: fenced code, and code within a line. */
const special = /^```[\s\S]*?^```|`[^`\n]+`|(?<bang>!?)\[(?<text>(?:[^\][]|\[[^\]]*\])*)\]\((?<target>[^()\s]+)\)|</gm;

/**
 * Writes the repository's Markdown files as pages into a folder. A link to another page stays one; a file that is linked to comes along; of
 * a link to a folder without a page the text stays.
 * @returns the groups of the sidebar
 * @throws {LetheError} that lists every link that leads nowhere
 */
export function gatherPages(site: string) {
  const groups = pageGroups();
  const pages = new Map(groups.flatMap((group) => group.pages.map((page) => [page.source, page] as const)));
  const files = new Set<string>();
  const dead: string[] = [];
  for (const page of pages.values()) {
    const text = readFileSync(join(root, page.source), "utf8").replace(/<!--[\s\S]*?-->\n?/g, "");
    write(site, page.path, rewriteLinks(text, page, { pages, files, dead }));
  }
  if (dead.length > 0) throw new LetheError(`docs: links that lead nowhere:\n${dead.join("\n")}`);
  for (const file of files) cpSync(join(root, file), join(site, "public", file));
  return groups;
}

interface Found {
  readonly pages: ReadonlyMap<string, Page>;
  /** Files that are linked to. */
  readonly files: Set<string>;
  readonly dead: string[];
}

/** Links as they are in the site. Angle brackets are text: the site would read them as HTML. */
function rewriteLinks(markdown: string, { source }: Page, { pages, files, dead }: Found): string {
  return markdown.replace(special, (whole, ...rest) => {
    if (whole === "<") return "&lt;";
    const { bang = "", text = "", target } = rest.at(-1) as Partial<Record<"bang" | "text" | "target", string>>;
    if (!target || /^([a-z]+:|#)/.test(target)) return whole;
    const [link = "", fragment] = target.split("#");
    const found = targetOf(source, link);
    if (!found) {
      dead.push(`${source}: ${target}`);
      return whole;
    }
    const page = pages.get(found.isFolder ? `${found.path}/README.md` : found.path);
    if (page) return `[${text}](/${page.path}${fragment === undefined ? "" : `#${fragment}`})`;
    if (found.isFolder) return text;
    files.add(found.path);
    return bang ? `![${text}](/${found.path})` : `[${text}](/${found.path}){target="_self"}`;
  });
}

/** Writes a file of the site. */
export function write(site: string, path: string, text: string): void {
  const full = join(site, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}
