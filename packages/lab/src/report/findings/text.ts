import type { Finding } from "./finding.ts";
import { describeExcess, showEstimate } from "./section.ts";

/** The findings over all methods as lines of text, for the end of a run. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = findings.filter(({ overall }) => overall);
  const width = Math.max(0, ...rows.map(({ claim }) => claim.length));
  const models = [...new Set(rows.map(({ model }) => model))];
  return models
    .map((model) => {
      const lines = rows
        .filter((row) => row.model === model)
        .map(({ claim, verdict, here, controls, reason }) => {
          const parts = [
            ...(here ? [showEstimate(here)] : []),
            ...(reason === undefined ? [] : [reason]),
            ...controls.map(({ control, number, exceeded }) => {
              return `${control} ${showEstimate(number)} ${describeExcess(exceeded)}`;
            }),
          ];
          return `  ${claim.padEnd(width)}  ${verdict.padEnd("cannot be said".length)}  ${parts.join("; ")}\n`;
        });
      return `Findings, ${model}:\n${lines.join("")}`;
    })
    .join("");
}
