/** A value as an error shows it: JSON, cut so that a hostile file cannot fill the screen. */
export function quote(value: unknown): string {
  return excerpt(JSON.stringify(typeof value === "string" ? value.slice(0, 200) : value) ?? "undefined");
}

/** The beginning of a text from a file. */
export function excerpt(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** The first lines of an error's list, and how many more there are. */
export function listed(lines: readonly string[], most = 24): string[] {
  return lines.length <= most ? [...lines] : [...lines.slice(0, most), `… and ${lines.length - most} more`];
}
