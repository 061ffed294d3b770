import { readdir, readFile, writeFile } from "node:fs/promises";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import type { Kind, Signature } from "../packages/tensor/src/arguments.ts";
import { signatureOf } from "../packages/tensor/src/ops/checked.ts";
import * as exported from "../packages/tensor/src/ops/index.ts";

// Writes the tables of operations in the README of @lethe/tensor, from the signatures and doc comments of the source. `--check` fails
// where the README says something else.

const readme = new URL("../packages/tensor/README.md", import.meta.url);
const source = new URL("../packages/tensor/src/ops/", import.meta.url);
const [begin, end] = ["<!-- operations: written by `npm run operations` -->\n", "<!-- end of operations -->\n"];

/** Doc comments by the names that a pattern finds after them. */
function docsIn(text: string, name: string): Map<string, string> {
  const pattern = new RegExp(String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*${name}`, "g");
  return new Map([...text.matchAll(pattern)].map(([, doc, found]): [string, string] => [found!, doc!]));
}

/** The first sentence of a doc comment, on one line. */
function firstSentence(name: string, doc: string | undefined): string {
  const text = (doc ?? "")
    .replace(/^\s*\*\s?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
  const sentence = /^.*?\.(?= [A-Z`{@]|$)/.exec(text)?.[0].replace(/\{@link (?:\w+\.)?(\w+)\}/g, "`$1`");
  if (!sentence) throw new Error(`operations: ${name} has no doc comment, or one without a full sentence`);
  return sentence.replaceAll("|", "\\|");
}

const call = (signature: Signature) => Object.entries(signature).map(argument).join(", ");

/** An argument as the table shows it. A tensor is f32, and an option is a number, a flag or a list, where nothing else is said. */
function argument([name, { fields, choices = [], optional, accepts }]: [string, Kind]): string {
  if (name === "options" && fields) return `{ ${call(fields)} }`;
  const allowed = fields ? `{ ${call(fields)} }` : [...choices, ...(accepts(null) ? ["null"] : [])].join("/");
  return `${name}${optional ? "?" : ""}${allowed && allowed !== "f32" ? `: ${allowed}` : ""}`;
}

function table(docs: ReadonlyMap<string, string>): string {
  const rows = Object.entries(exported).flatMap(([name, value]) => {
    const signature = signatureOf(value);
    return signature && docs.has(name)
      ? [`| \`${name}(${call(signature)})\` | ${firstSentence(name, docs.get(name))} |`]
      : [];
  });
  return ["| operation | result |", "| --- | --- |", ...rows, ""].join("\n");
}

async function writeTables({ check }: { readonly check?: true }): Promise<void> {
  const contract = await readFile(new URL("ops.ts", source), "utf8");
  const [, differentiable = "", backward = ""] = contract.split(
    /^export interface (?:DifferentiableOps|BackwardOps) /m,
  );
  const member = String.raw`(\w+)[<(]`;
  const files = (await readdir(source)).filter((name) => name.endsWith(".ts") && name !== "ops.ts");
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, source), "utf8")));
  const single = docsIn(texts.join("\n"), String.raw`export const (\w+) = checked\(`);
  const groups = [docsIn(differentiable, member), docsIn(backward, member)];
  for (const name of single.keys()) if (groups.some((docs) => docs.has(name))) single.delete(name);

  const missing = Object.entries(exported).filter(
    ([name, value]) => signatureOf(value) && ![...groups, single].some((docs) => docs.has(name)),
  );
  if (missing.length > 0) throw new Error(`operations: no doc comment for ${missing.map(([name]) => name).join(", ")}`);

  const tables = [
    "These have a gradient rule in `@lethe/autograd`:\n",
    table(groups[0]!),
    "Gradient rules, caches and generation compute with these too. They have no gradient rule:\n",
    table(groups[1]!),
    "These are not part of `Ops`. They make tensors on a device, take a step of an optimiser, or serve metrics, tests and benchmarks:\n",
    table(single),
  ].join("\n");

  const text = await readFile(readme, "utf8");
  const [before, rest = ""] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`operations: ${readme.pathname} has no ${begin.trim()} … ${end.trim()}`);
  const wanted = `${before}${begin}\n${tables}\n${end}${after}`;
  if (check && text !== wanted)
    throw new Error("operations: the README of @lethe/tensor is stale; run `npm run operations`");
  if (!check) await writeFile(readme, wanted);
}

await runCommand(
  commandLine("operations", "Writes the tables of operations in the README of @lethe/tensor.")
    .option("--check", "write nothing, and fail where the README says something else")
    .action(writeTables),
);
