/** How long a browser may take to begin a download, in milliseconds. */
const BEGUN_WITHIN = 60_000;

/** Saves bytes as a file, as if a link to them were clicked. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BEGUN_WITHIN);
}
