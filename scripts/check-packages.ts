/**
 * `npm run check-packages`: packs every published package and installs the tarballs into an empty TypeScript project outside the repository. There each package
 * must be fit to be published (see `lint-package.ts`), import nothing that it does not declare, bundle for a browser without a module of
 * Node's, and its README's example must type-check with the types that projects have (Node's, the DOM's, both), also in the oldest
 * TypeScript that the READMEs name, and run. The examples must type-check against the packages' sources too, in a project whose only
 * strictness is `strict`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { commandLine, runCommand } from "../packages/lab/src/commands/command-line.ts";
import { lintPackage } from "./lint-package.ts";
import { packageFolder, publishedNames, root } from "./packages.ts";

/** The oldest TypeScript that the READMEs name. */
const oldestTypeScript = "~5.7.3";

const example = /^```ts\n([\s\S]*?)^```$/m;

const typeLibraries = {
  node: { lib: ["ES2023", "ESNext.Disposable"], types: ["node"] },
  browser: { lib: ["ES2023", "ESNext.Disposable", "DOM"], types: [] },
  both: { lib: ["ES2023", "ESNext.Disposable", "DOM"], types: ["node"] },
};

const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, stdio: "inherit" });
const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));

/** The examples as files, a `tsconfig.*.json` for each choice of types, the packages and what they bring, and TypeScript. */
function setUp(project: string): void {
  for (const name of publishedNames)
    run("npm", ["pack", "--silent", "--pack-destination", project], packageFolder(name));
  const tarballs = publishedNames.map((name) => `./${tarballOf(project, name)}`);
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "example", version: "1.0.0", private: true, type: "module" }),
  );
  const versions: Record<string, string> = readJson(join(root, "package.json")).devDependencies;
  const tools = ["typescript", "@types/node"].map((tool) => `${tool}@${versions[tool]}`);
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...tarballs, ...tools], project);

  writeExamples(project);
  for (const [kind, libraries] of Object.entries(typeLibraries))
    writeConfig(project, `tsconfig.${kind}.json`, { ...libraries, skipLibCheck: false });
}

/** The file that `npm pack` made of a package. */
function tarballOf(project: string, name: string): string {
  return readdirSync(project).find((file) => file.startsWith(`lethe-${name}-`) && file.endsWith(".tgz"))!;
}

function writeExamples(project: string): void {
  for (const name of publishedNames) {
    const readme = readFileSync(join(packageFolder(name), "README.md"), "utf8");
    const code = example.exec(readme)?.[1];
    if (!code) throw new Error(`packages/${name}/README.md has no \`\`\`ts example`);
    writeFileSync(join(project, `${name}.ts`), code);
  }
}

function writeConfig(project: string, file: string, options: object): void {
  const compilerOptions = { target: "ES2022", module: "NodeNext", strict: true, ...options };
  writeFileSync(join(project, file), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
}

/** Type-checks the examples against the packages' TypeScript, as a project does that has the repository beside it. */
function checkSources(): void {
  const project = mkdtempSync(join(tmpdir(), "lethe-sources-"));
  try {
    writeExamples(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
    writeConfig(project, "tsconfig.json", {
      lib: typeLibraries.both.lib,
      types: ["node", "@webgpu/types"],
      customConditions: ["lethe-source"],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    });
    run("npx", ["tsc", "-p", "."], project);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** Whatever any file of an installed package imports from another package must stand in its `dependencies`. */
async function checkDeclared(project: string, name: string): Promise<void> {
  const folder = join(project, "node_modules/@lethe", name);
  const { dependencies, optionalDependencies } = readJson(join(folder, "package.json"));
  const { metafile } = await build({
    entryPoints: [join(folder, "dist/**/*.js")],
    outdir: "nowhere",
    write: false,
    metafile: true,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  const imported = Object.values(metafile.inputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !path.startsWith("#") && !isBuiltin(path))
    .map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)![0]);
  const missing = imported.filter((found) => !(found in { ...dependencies, ...optionalDependencies }));
  if (missing.length > 0)
    throw new Error(`@lethe/${name} imports ${[...new Set(missing)].join(", ")}, which its package.json does not name`);
}

/** Fails where the entry of a package reaches something that a browser does not have. */
async function checkBrowser(project: string, name: string): Promise<void> {
  await build({
    stdin: { contents: `export * from "@lethe/${name}";`, resolveDir: project },
    write: false,
    bundle: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
}

async function checkAll(): Promise<void> {
  checkSources();
  const project = mkdtempSync(join(tmpdir(), "lethe-packages-"));
  try {
    setUp(project);
    for (const name of publishedNames) {
      await lintPackage(join(project, tarballOf(project, name)), join(project, "node_modules/@lethe", name));
      await checkDeclared(project, name);
      await checkBrowser(project, name);
    }
    for (const kind of Object.keys(typeLibraries)) {
      const options = kind === "node" ? [] : ["--noEmit"];
      run("npx", ["tsc", "-p", `tsconfig.${kind}.json`, ...options], project);
    }
    run("npm", ["install", "--silent", "--no-audit", "--no-fund", `typescript@${oldestTypeScript}`], project);
    run("npx", ["tsc", "-p", "tsconfig.both.json", "--noEmit"], project);
    for (const name of publishedNames) {
      console.log(`\nThe example of @lethe/${name}:`);
      run("node", [`${name}.js`], project);
    }
    console.log(
      `\n${publishedNames.length} packages are fit to be published, install, bundle for browsers, type-check and run their examples.`,
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

await runCommand(
  commandLine(
    "check-packages",
    "Installs the packed packages in an empty project, and checks and runs their examples there.",
  ).action(checkAll),
);
