export { krsCsv } from "./csv.ts";
export { type Panel, panelsOf } from "./panels.ts";
export { type Results, readResults } from "./results.ts";
export { type WrittenReport, writeReport } from "./write-report.ts";
