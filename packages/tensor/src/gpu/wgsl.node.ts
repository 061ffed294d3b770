import { readFileSync } from "node:fs";
import { includeInto } from "./include.ts";

const folder = new URL("../../../../kernels/", import.meta.url);

/** Source text of a kernel, read from `kernels/`. Built packages carry the same text inside them (`scripts/build.ts`). */
export function wgsl(name: string): string {
  return includeInto(name, (file) => readFileSync(new URL(file, folder), "utf8"));
}
