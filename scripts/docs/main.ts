/** `npm run docs`: makes one static site of the API pages, the tutorial, the science, the measured figures and the READMEs. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { InvalidArgumentError } from "commander";
import { commandLine, runCommand } from "../../packages/lab/src/commands/command-line.ts";
import { publishedNames, root } from "../packages.ts";
import { deadLinks } from "./check-links.ts";
import { figurePages } from "./figures.ts";
import { gatherPages, write } from "./gather.ts";

const docs = join(root, "docs");
/** Where the pages are gathered, and where the site is built. Git ignores both. */
const [site, built] = [join(docs, "site"), join(docs, "dist")];

const run = (command: string, ...args: string[]) =>
  execFileSync("npx", [command, ...args], { cwd: docs, stdio: "inherit" });

/** The sidebar, which the site's configuration reads. */
function sidebar(): object[] {
  const groups = gatherPages(site).map(({ text, pages }) => ({ text, items: pages.map(itemOf) }));
  const figures = figurePages();
  for (const { path, text } of figures) write(site, path, text);
  const api = publishedNames.map((name) => ({ title: `@lethe/${name}`, path: `api/@lethe/${name}.md` }));
  return groups.flatMap((group) => {
    if (group.text === "Measured figures") return [{ ...group, items: [...group.items, ...figures.map(itemOf)] }];
    if (group.text === "Packages") return [group, { text: "API", items: api.map(itemOf) }];
    return group.items.length > 0 ? [group] : [];
  });
}

function itemOf({ title, path }: { readonly title: string; readonly path: string }) {
  return { text: title, link: `/${path.replace(/(index)?\.md$/, "")}` };
}

function makeSite({ base }: { readonly base: string }): void {
  for (const folder of [site, built]) rmSync(folder, { recursive: true, force: true });
  write(site, "sidebar.json", JSON.stringify(sidebar()));
  run("typedoc", ...publishedNames.flatMap((name) => ["--entryPoints", `../packages/${name}`]));
  run("vitepress", "build", "--base", base);
  const dead = deadLinks(built, base);
  if (dead.length > 0) throw new LetheError(`docs: links that lead nowhere:\n${dead.join("\n")}`);
  const pages = readdirSync(built, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  console.log(`\n${pages.length} pages in docs/dist; every link within them leads somewhere.`);
}

function basePath(text: string): string {
  if (/^\/([\w.~-]+\/)*$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a path such as / or /lethe/.");
}

await runCommand(
  commandLine("docs", "Makes one static site of API pages, tutorial, science, figures and READMEs, in docs/dist.")
    .option("--base <path>", "path under which the site will be served", basePath, "/")
    .action(makeSite),
);
