import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./packages.ts";

const page = readFileSync(join(root, "docs/tutorial.md"), "utf8");
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm")), ([, code]) => code!);

/** Red, green and blue of each cell of a heat map. */
const coloursIn = (path: string) =>
  Array.from(readFileSync(path, "utf8").matchAll(/fill="rgb\((\d+), (\d+), (\d+)\)"/g)).flatMap(([, ...rgb]) =>
    rgb.map(Number),
  );

const compilerOptions = {
  target: "ES2022",
  module: "NodeNext",
  lib: ["ES2023", "ESNext.Disposable", "DOM"],
  types: ["node", "@webgpu/types"],
  customConditions: ["lethe-source"],
  allowImportingTsExtensions: true,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

test("the tutorial's program compiles, runs, and prints and draws what the page shows", () => {
  const folder = mkdtempSync(join(tmpdir(), "lethe-tutorial-"));
  try {
    for (const name of ["node_modules", "models"]) symlinkSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["tutorial.ts"] }));
    writeFileSync(join(folder, "tutorial.ts"), blocks("ts").join(""));
    const run = (command: string, args: string[]) =>
      execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    run(join(root, "node_modules/.bin/tsc"), ["-p", "."]);
    const printed = run("node", ["--conditions=lethe-source", "--import", "tsx", "tutorial.ts"]);
    expect(printed).toBe(blocks("text").join(""));
    const [made, shown] = [join(folder, "patching.svg"), join(root, "docs/patching.svg")].map(coloursIn);
    expect(shown).toHaveLength(12 * 15 * 3);
    // Adapters differ in the last digits of a value.
    expect(shown!.map((colour, i) => Math.abs(colour - made![i]!) <= 1)).not.toContain(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
