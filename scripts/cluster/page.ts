import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.ts";

/** The files that `docs/cluster.md` shows, by the name beside each fence. */
export function shownFiles(): Map<string, string> {
  const page = readFileSync(join(root, "docs/cluster.md"), "utf8");
  const blocks = page.matchAll(/^```\w+ \[([^\]]+)\]\n([\s\S]*?)^```$/gm);
  return new Map(Array.from(blocks, ([, name, content]) => [name!, content!]));
}
