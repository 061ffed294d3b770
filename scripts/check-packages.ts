/**
 * Packs every package, installs the tarballs into an empty TypeScript project outside the repository, type-checks the example
 * of each README there against the published types, and runs it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const names = ["tensor", "hooks", "decoder", "llama", "unlearn"];
const example = /^```ts\n([\s\S]*?)^```$/m;

const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, stdio: "inherit" });

const project = mkdtempSync(join(tmpdir(), "lethe-packages-"));
try {
  for (const name of names)
    run("npm", ["pack", "--silent", "--pack-destination", project], join(root, "packages", name));
  const tarballs = readdirSync(project).map((file) => `./${file}`);
  const manifest = { name: "example", private: true, type: "module" };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  const versions = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies as Record<
    string,
    string
  >;
  const tools = ["typescript", "@types/node"].map((name) => `${name}@${versions[name]}`);
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...tarballs, ...tools], project);

  const compilerOptions = { target: "ES2022", module: "NodeNext", strict: true, types: ["node"], skipLibCheck: false };
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, lib: ["ES2023", "ESNext.Disposable"] },
      include: ["*.ts"],
    }),
  );
  for (const name of names) {
    const readme = readFileSync(join(root, "packages", name, "README.md"), "utf8");
    const code = example.exec(readme)?.[1];
    if (!code) throw new Error(`packages/${name}/README.md has no \`\`\`ts example`);
    writeFileSync(join(project, `${name}.ts`), code);
  }
  run("npx", ["tsc"], project);
  for (const name of names) {
    console.log(`\nThe example of @lethe/${name}:`);
    execFileSync("node", [`${name}.js`], { cwd: project, stdio: "inherit", env: { ...process.env, LETHE_ROOT: root } });
  }
  console.log(`\n${names.length} packages install, type-check and run their examples.`);
} finally {
  rmSync(project, { recursive: true, force: true });
}
