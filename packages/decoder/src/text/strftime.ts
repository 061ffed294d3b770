import { TemplateError } from "./jinja/errors.ts";

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
  e: (date) => String(date.getDate()).padStart(2),
  F: (date) => strftime(date, "%Y-%m-%d"),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  T: (date) => strftime(date, "%H:%M:%S"),
  "%": () => "%",
};

/**
 * A date in the local time zone, as Python's `strftime` writes it in English on Linux; "-" after "%" leaves out a leading zero.
 * @throws {TemplateError} for other letters
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([\s\S]?)/g, (whole, flag: string, letter: string) => {
    const directive = Object.hasOwn(directives, letter) ? directives[letter] : undefined;
    if (!directive)
      throw new TemplateError(
        `the date format ${whole} is not supported; there are ${Object.keys(directives).join(" ")}`,
      );
    const written = directive(date);
    return flag === "-" ? written.replace(/^0+(?=\d)/, "") : written;
  });
}

function word(date: Date, part: Intl.DateTimeFormatOptions): string {
  return date.toLocaleDateString("en-US", part);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function dayOfYear(date: Date): number {
  const day = (month: number, of: number) => Date.UTC(date.getFullYear(), month, of) / 86_400_000;
  return day(date.getMonth(), date.getDate()) - day(0, 0);
}
