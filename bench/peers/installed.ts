import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

// biome-ignore lint/suspicious/noExplicitAny: the peers' types are there only where they are installed
export type Untyped = any;

/**
 * Installs the peers as the lock file of this folder names them, where they are not installed. No script of theirs runs: that of
 * onnxruntime-node would fetch libraries for CUDA.
 */
export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  if (Object.entries(dependencies).every(([name, version]) => peerVersion(name) === version)) return;
  console.log(`Installing the peers in ${folder} …`);
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
}

/** The version of an installed peer; null where it is not installed. */
export function peerVersion(name: string): string | null {
  const file = `${folder}/node_modules/${name}/package.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : null;
}

/** A peer's module. */
export function peer(name: string): Untyped {
  return require(name);
}
