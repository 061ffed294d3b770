/** `npm run release`: builds and checks every published package, and uploads what the registry does not have. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { packageFolder, publishedNames, root } from "./packages.ts";

const run = (command: string, args: readonly string[], cwd = root) =>
  execFileSync(command, args, { cwd, stdio: "inherit" });

/** What stands between this checkout and a release, in words. */
function obstacles(): string[] {
  const found: string[] = [];
  const changed = execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  if (changed !== "") found.push("There are changes that are not committed: commit them.");
  const waiting = readdirSync(join(root, ".changeset")).filter((file) => file.endsWith(".md") && file !== "README.md");
  if (waiting.length > 0)
    found.push(
      `${waiting.length} changes have no version yet: run \`npx changeset version\` and \`npm install\`, and commit.`,
    );
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (!repository?.url)
    found.push(
      "package.json does not say where the repository is published: run `npm pkg set repository.type=git repository.url=URL` and " +
        "`npm run manifests`, and commit.",
    );
  return found;
}

function release({ dryRun }: { readonly dryRun?: true }): void {
  const found = obstacles();
  if (found.length > 0 && !dryRun) throw new LetheError(`release: nothing was uploaded.\n${found.join("\n")}`);
  for (const script of ["manifests -- --check", "build", "check-packages"]) run("npm", ["run", ...script.split(" ")]);
  if (dryRun)
    for (const name of publishedNames) run("npm", ["publish", "--dry-run", "--loglevel=warn"], packageFolder(name));
  else run("npx", ["changeset", "publish"]);
  const remarks = found.map((obstacle) => `\nBefore the upload: ${obstacle}`).join("");
  console.log(dryRun ? `\nAll but the upload is done.${remarks}` : "\nNow push the tags: git push --follow-tags");
}

await runCommand(
  commandLine("release", "Builds and checks every published package, and uploads what the registry does not have yet.")
    .option("--dry-run", "all but the upload; a checkout that is not ready for it is only remarked on")
    .action(release),
);
