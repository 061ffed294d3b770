import { join } from "node:path";

/** The repository. */
export const root = join(import.meta.dirname, "..");

/** What each package under `packages/` may use of the others, directly or through them. `imports.test.ts` holds it. */
export const uses = {
  tensor: [],
  hooks: ["tensor"],
  autograd: ["tensor"],
  decoder: ["hooks", "tensor"],
  llama: ["decoder", "hooks", "tensor"],
  olmo: ["decoder", "hooks", "tensor"],
  auto: ["llama", "olmo", "decoder", "hooks", "tensor"],
  lens: ["llama", "olmo", "autograd", "decoder", "hooks", "tensor"],
  unlearn: ["auto", "llama", "olmo", "autograd", "decoder", "hooks", "tensor"],
  lab: ["unlearn", "auto", "llama", "olmo", "autograd", "decoder", "hooks", "tensor"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Every package but `testing`, each after those that it uses. */
export const packageNames = Object.keys(uses) as (keyof typeof uses)[];

/** Packages that other projects can install as `@lethe/NAME`. */
export const publishedNames = packageNames.filter((name) => name !== "lab");

/** The folder of a package. */
export const packageFolder = (name: string) => join(root, "packages", name);
