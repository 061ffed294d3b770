import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LetheError } from "@lethe/tensor";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root } from "./packages.ts";

/** What every tarball holds beside its code. */
const FILES = ["LICENSE", "README.md", "package.json"];

/**
 * Fails where a package that was packed and installed is not fit to be published: a file or a field that people look for is missing,
 * publint objects to its package.json, or arethetypeswrong finds types that TypeScript does not resolve from ESM or a bundler.
 */
export async function lintPackage(tarball: string, installed: string): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const files = readdirSync(installed);
  const missing = [
    ...FILES.filter((file) => !files.includes(file)),
    ...["description", "license", "keywords"].filter((field) => !manifest[field]?.length),
  ];
  if (missing.length > 0) throw new LetheError(`${manifest.name}: its tarball has no ${missing.join(", no ")}`);
  const { messages } = await publint({ pkgDir: installed, pack: false, level: "suggestion", strict: true });
  if (messages.length > 0)
    throw new LetheError(
      `publint on ${manifest.name}:\n${messages.map((each) => formatMessage(each, manifest)).join("\n")}`,
    );
  execFileSync("npx", ["attw", tarball, "--profile", "esm-only", "--format", "ascii"], { cwd: root, stdio: "inherit" });
}
