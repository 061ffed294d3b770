import about from "../../package.json" with { type: "json" };

/** The programs that measure and draw: "Lethe 0.1.0, Vega-Lite 6.4.1, Mozilla/5.0 …". */
export function programs(): string {
  const { dependencies, version } = about;
  return `Lethe ${version}, Vega-Lite ${dependencies["vega-lite"].replace(/^\D/, "")}, ${navigator.userAgent}`;
}
