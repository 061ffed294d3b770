/** Files that a person gave, and the name of the folder that they are in. */
export interface Given {
  readonly name: string;
  readonly files: readonly File[];
}

const NO_FOLDER = "dropped files";

/** What was chosen in a field for files or a folder. */
export function chosenFiles({ files }: HTMLInputElement): Given {
  const list = [...(files ?? [])];
  return { name: list[0]?.webkitRelativePath.split("/")[0] || NO_FOLDER, files: list };
}

/** What was dropped: files, or the files of a folder. */
export async function droppedFiles({ items }: DataTransfer): Promise<Given> {
  // The list is empty after the first wait.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const folder = entries.find((entry) => entry.isDirectory) as FileSystemDirectoryEntry | undefined;
  const within = folder ? await entriesOf(folder) : entries;
  const files = within.filter((entry) => entry.isFile) as FileSystemFileEntry[];
  const open = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  return { name: folder?.name ?? NO_FOLDER, files: await Promise.all(files.map(open)) };
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // Each call gives some of them, until there are none left.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...some);
  }
}
