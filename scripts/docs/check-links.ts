import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * Looks through the pages of a built site, and gives every link, picture, script and style sheet that leads nowhere within it, and every
 * fragment that its page does not have. Links to other sites are not followed.
 * @param base the path under which the site is served
 */
export function deadLinks(folder: string, base: string): string[] {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  const ids = new Map<string, Set<string>>();
  const idsOf = (page: string) => {
    const known = ids.get(page) ?? new Set(attributes(readFileSync(page, "utf8"), "id"));
    ids.set(page, known);
    return known;
  };
  return pages.flatMap((name) => {
    const page = join(folder, name);
    const links = new Set(attributes(withoutScripts(readFileSync(page, "utf8")), "href|src"));
    return [...links].flatMap((link) => {
      if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return [];
      const [path = "", fragment = ""] = link
        .replace(/\?[^#]*/, "")
        .split("#")
        .map(decodeURIComponent) as [string, string?];
      const target = path === "" ? page : fileAt(folder, base, dirname(page), path);
      const isThere = target !== null && (fragment === "" || !target.endsWith(".html") || idsOf(target).has(fragment));
      return isThere ? [] : [`${relative(folder, page)}: ${link}`];
    });
  });
}

/** The file that a server of static files gives for a path, or null. */
function fileAt(folder: string, base: string, from: string, path: string): string | null {
  if (path.startsWith("/") && !path.startsWith(base)) return null;
  const full = path.startsWith("/") ? join(folder, path.slice(base.length)) : join(from, path);
  const found = [full, join(full, "index.html")].find((each) => existsSync(each) && statSync(each).isFile());
  return found ?? null;
}

/** Scripts may hold text that looks like a page. */
const withoutScripts = (html: string) => html.replace(/(<script\b[^>]*>)[\s\S]*?<\/script>/g, "$1");

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", quot: '"', "#39": "'" };

function attributes(html: string, names: string): string[] {
  const found = html.matchAll(new RegExp(String.raw`<[a-z][^<>]*?\s(?:${names})="([^"]*)"`, "gi"));
  return Array.from(found, ([, value]) => value!.replace(/&(amp|quot|#39);/g, (_, name) => ENTITIES[name]!));
}
