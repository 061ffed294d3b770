import { createRequire } from "node:module";

/** The programs that measure and draw, and the machine: "Lethe 0.1.0, Node v20.20.2, Vega-Lite 6.4.1, linux x64". */
export function programs(): string {
  const { version, dependencies } = createRequire(import.meta.url)("../../package.json");
  const vegaLite = dependencies["vega-lite"].replace(/^\D/, "");
  return `Lethe ${version}, Node ${process.version}, Vega-Lite ${vegaLite}, ${process.platform} ${process.arch}`;
}
