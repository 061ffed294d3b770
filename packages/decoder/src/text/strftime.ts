/** The parts of a date, by Python's letters. Names of days and months are English in every locale. */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => word(date, { weekday: "short" }),
  A: (date) => word(date, { weekday: "long" }),
  b: (date) => word(date, { month: "short" }),
  B: (date) => word(date, { month: "long" }),
  d: (date) => two(date.getDate()),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  S: (date) => two(date.getSeconds()),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  "%": () => "%",
};

/** A date in the local time zone, as Python's `strftime` writes it in English. Unknown letters stay as they are. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => directives[letter]?.(date) ?? whole);
}

function word(date: Date, part: Intl.DateTimeFormatOptions): string {
  return date.toLocaleDateString("en-US", part);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
