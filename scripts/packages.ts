import { join } from "node:path";

/** The repository. */
export const root = join(import.meta.dirname, "..");

/** The packages under `packages/` that are published as `@lethe/NAME`; each uses only those before it. */
export const packageNames = ["tensor", "hooks", "autograd", "decoder", "llama", "olmo", "auto", "unlearn", "lab"];

/** Where a package's sources lie. */
export const packageFolder = (name: string) => join(root, "packages", name);
