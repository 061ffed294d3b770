import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

/** The repository. */
export const root = join(import.meta.dirname, "../../../..");

/** A temporary folder with the page as `npm run build:lab` writes it, in `page`. It goes when it is disposed of. */
export async function builtPage(): Promise<{ readonly folder: string; readonly page: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "lethe-page-"));
  const page = join(folder, "page");
  const configFile = join(root, "scripts/lab/vite.config.ts");
  await build({ configFile, logLevel: "error", build: { outDir: page, emptyOutDir: true } });
  return { folder, page, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
