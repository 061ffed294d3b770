import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.ts";
import type { Page } from "./pages.ts";

const FOLDER = "bench/results";

type Entry = Readonly<Record<string, unknown>>;

/** A page for each file of measured figures in `bench/results`: its records as tables, whatever they are of. */
export function figurePages(): (Page & { readonly text: string })[] {
  return readdirSync(join(root, FOLDER)).map((file) => {
    const title = file.replace(/\.json$/, "");
    const source = `${FOLDER}/${file}`;
    const figures: Entry = JSON.parse(readFileSync(join(root, source), "utf8"));
    const intro = `Figures of \`${source}\`, as they were measured. [How to read them](/bench/index.md).`;
    return { source, path: `${FOLDER}/${title}.md`, title, text: `# ${title}\n\n${intro}\n\n${sections(figures)}\n` };
  });
}

/** Single values as one table, and each list of records or group of values as another, under its name. */
function sections(figures: Entry): string {
  const isGroup = (value: unknown): value is Entry => typeof value === "object" && value !== null;
  const entries = Object.entries(figures);
  const single = entries.filter(([, value]) => !isGroup(value));
  const groups = entries.filter(
    (entry): entry is [string, Entry] => isGroup(entry[1]) && Object.keys(entry[1]).length > 0,
  );
  const named = groups.map(([name, value]) => `## ${name}\n\n${Array.isArray(value) ? list(value) : pairs(value)}`);
  return [...(single.length > 0 ? [pairs(Object.fromEntries(single))] : []), ...named].join("\n\n");
}

const pairs = (entry: Entry) => list(Object.entries(entry).map(([name, value]) => ({ name, value })));

function list(records: readonly Entry[]): string {
  const columns = [...new Set(records.flatMap(Object.keys))].filter((column) =>
    records.some((each) => each[column] != null),
  );
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(columns),
    row(columns.map(() => "---")),
    ...records.map((record) => row(columns.map((column) => said(record[column])))),
  ].join("\n");
}

function said(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(4))}`;
  if (Array.isArray(value)) return value.map(said).join("; ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, each]) => `${name} ${said(each)}`)
      .join(", ");
  return String(value).replaceAll("|", "\\|");
}
