import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { includeInto } from "../packages/tensor/src/gpu/include.ts";
import { root } from "./packages.ts";

/** A module with the same `wgsl(name)` as the one that reads `kernels/`, for code that runs elsewhere. */
export function embeddedKernels(): string {
  const folder = join(root, "kernels");
  const names = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
  const sources = names.map((file) => {
    const name = file.slice(0, -".wgsl".length);
    return [name, includeInto(name, (part) => readFileSync(join(folder, part), "utf8"))];
  });
  return `const sources = ${JSON.stringify(Object.fromEntries(sources), null, 1)};\nexport const wgsl = (name) => sources[name];\n`;
}
