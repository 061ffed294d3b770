import type { ByteSource, Folder } from "@lethe/tensor";

/** A folder that says how many bytes were read of it, all in all. */
export function counted(folder: Folder, tell: (bytes: number) => void): Folder {
  let all = 0;
  const counting = (source: ByteSource): ByteSource => ({
    name: source.name,
    size: source.size,
    async read(offset, length) {
      const bytes = await source.read(offset, length);
      all += length;
      tell(all);
      return bytes;
    },
    close: async () => source.close?.(),
  });
  return {
    ...folder,
    async open(file, signal) {
      const source = await folder.open(file, signal);
      return source && counting(source);
    },
  };
}
