/** `npm run build`: builds every published package into its `dist/`, in the order in which they depend on each other, with the kernels' text inside. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { includeInto } from "../packages/tensor/src/gpu/include.ts";
import { packageFolder, publishedNames, root } from "./packages.ts";

/** A module with the same `wgsl(name)` as the one that reads `kernels/`, for packages that are installed elsewhere. */
function embeddedKernels(): string {
  const folder = join(root, "kernels");
  const names = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
  const sources = names.map((file) => {
    const name = file.slice(0, -".wgsl".length);
    return [name, includeInto(name, (part) => readFileSync(join(folder, part), "utf8"))];
  });
  return `const sources = ${JSON.stringify(Object.fromEntries(sources), null, 1)};\nexport const wgsl = (name) => sources[name];\n`;
}

function buildAll(): void {
  for (const name of publishedNames) {
    const folder = packageFolder(name);
    rmSync(join(folder, "dist"), { recursive: true, force: true });
    execFileSync("npx", ["tsc", "-p", folder], { stdio: "inherit", cwd: root });
    if (name === "tensor") {
      writeFileSync(join(folder, "dist/gpu/wgsl.embedded.js"), embeddedKernels());
      // This one reads the repository's kernels/, which an installed package does not have.
      for (const file of ["wgsl.node.js", "wgsl.node.d.ts"]) rmSync(join(folder, "dist/gpu", file));
    }
    console.log(`built packages/${name}`);
  }
}

await runCommand(commandLine("build", "Builds every published package into its dist/.").action(buildAll));
