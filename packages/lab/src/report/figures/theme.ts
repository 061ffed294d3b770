import type { Setting } from "@lethe/unlearn";

/** The colours of a figure. Okabe and Ito's palette, which stays apart for colour-blind readers; shapes and labels repeat it. */
export interface Theme {
  readonly background: string | null;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly settings: Readonly<Record<Setting, string>>;
  readonly target: string;
  readonly unrelated: string;
  readonly loss: string;
}

/** For files that stand alone, on white. */
export const lightTheme: Theme = {
  background: "#ffffff",
  ink: "#1b1f24",
  muted: "#5b6470",
  grid: "#e4e7eb",
  settings: { m: "#d55e00", W_V: "#009e73", A: "#0072b2", "m+A": "#1b1f24" },
  target: "#d55e00",
  unrelated: "#0072b2",
  loss: "#0072b2",
};

const darkTheme: Theme = {
  background: "#14171a",
  ink: "#e8eaed",
  muted: "#a3abb5",
  grid: "#2c3238",
  settings: { m: "#ff8f45", W_V: "#2fc99a", A: "#62b8f0", "m+A": "#f2f4f6" },
  target: "#ff8f45",
  unrelated: "#62b8f0",
  loss: "#62b8f0",
};

/** For a figure inside the page: every colour is one of the page's custom properties, so it follows the reader's light or dark. */
export const pageTheme: Theme = {
  background: null,
  ink: "var(--ink)",
  muted: "var(--muted)",
  grid: "var(--grid)",
  settings: { m: "var(--m)", W_V: "var(--w-v)", A: "var(--a)", "m+A": "var(--m-and-a)" },
  target: "var(--target)",
  unrelated: "var(--unrelated)",
  loss: "var(--loss)",
};

/** The declarations that give {@link pageTheme} its colours. */
export function customProperties(scheme: "light" | "dark"): string {
  const values = flatten(scheme === "light" ? lightTheme : darkTheme);
  const names = flatten({ ...pageTheme, background: "var(--background)" });
  return names.map((name, i) => `${name.slice("var(".length, -1)}: ${values[i]};`).join(" ");
}

function flatten({ settings, ...rest }: Theme): string[] {
  return [...Object.values(rest), ...Object.values(settings)].map(String);
}
