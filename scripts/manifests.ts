/** `npm run manifests`: gives every published package the repository's licence and the fields of its package.json that all share. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { packageFolder, publishedNames, root } from "./packages.ts";

/** Fields that are the repository's own. */
const SHARED = ["license", "engines", "bugs", "homepage"] as const;
/** Fields that every published package has. The sources are there for the condition `lethe-source`, and to be read. */
const PUBLISHED = { publishConfig: { access: "public" }, files: ["dist", "src"] };

interface Manifest extends Partial<Record<(typeof SHARED)[number], unknown>> {
  readonly name: string;
  readonly repository?: { readonly type: string; readonly url: string };
}

const textOf = (path: string) => readFile(path, "utf8").catch(() => "");

/** A package's manifest with the repository's own fields. Where the repository names none, the package has none. */
function shared(own: Manifest, common: Manifest, directory: string): Manifest {
  const fields = SHARED.map((field) => [field, common[field]]);
  const repository = common.repository && { ...common.repository, directory };
  // Keys stay in their places; without a value they go.
  return { ...own, ...Object.fromEntries(fields), ...PUBLISHED, repository };
}

async function writeManifests({ check }: { readonly check?: true }): Promise<void> {
  const common: Manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const licence = await readFile(join(root, "LICENSE"), "utf8");
  const stale: string[] = [];
  for (const name of publishedNames) {
    const folder = packageFolder(name);
    const own: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const wanted = {
      LICENSE: licence,
      "package.json": `${JSON.stringify(shared(own, common, `packages/${name}`), null, 2)}\n`,
    };
    for (const [file, text] of Object.entries(wanted)) {
      if ((await textOf(join(folder, file))) === text) continue;
      stale.push(`packages/${name}/${file}`);
      if (!check) await writeFile(join(folder, file), text);
    }
  }
  if (check && stale.length > 0)
    throw new LetheError(`manifests: stale: ${stale.join(", ")}; run \`npm run manifests\``);
  for (const file of stale) console.log(`wrote ${file}`);
}

await runCommand(
  commandLine("manifests", "Gives every published package the repository's licence, and the fields that all share.")
    .option("--check", "write nothing, and fail where something is stale")
    .action(writeManifests),
);
