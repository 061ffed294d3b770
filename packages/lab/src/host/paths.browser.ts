/** A browser has no working directory: a path stays as it is. */
export const absolutePath = (path: string): string => path;
