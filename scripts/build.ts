/** `npm run build`: builds every published package into its `dist/`, in the order in which they depend on each other, with the kernels' text inside. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { embeddedKernels } from "./embedded-kernels.ts";
import { packageFolder, publishedNames, root } from "./packages.ts";

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
