const includeLine = /^\/\/! include (\S+)$/gm;

/**
 * Source of `name.wgsl` with every `//! include lib/x.wgsl` line replaced by that file, each file once.
 * @param read gives the text of a file by its path inside `kernels/`.
 */
export function includeInto(name: string, read: (file: string) => string): string {
  const seen = new Set<string>();
  const expand = (file: string): string => {
    if (seen.has(file)) return "";
    seen.add(file);
    return read(file).replace(includeLine, (_, inner: string) => expand(inner));
  };
  return expand(`${name}.wgsl`);
}
