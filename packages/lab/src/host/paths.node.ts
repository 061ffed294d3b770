import { resolve } from "node:path";

/** A path from the root, whatever the working directory. */
export const absolutePath = (path: string): string => resolve(path);
