import { csvFormat } from "d3-dsv";
import type { Finding } from "./finding.ts";

/** `findings.json` and `findings.csv`: every finding, those of single methods too. */
export function findingsFiles(findings: readonly Finding[]): Record<string, string> {
  if (findings.length === 0) return {};
  return {
    "findings.json": `${JSON.stringify(findings, null, 2)}\n`,
    "findings.csv": `${csvFormat(findings.flatMap(rowsOf))}\n`,
  };
}

/** One row for each control, or one without. */
function rowsOf({ controls, methods, here, ...finding }: Finding): Record<string, string | number | boolean>[] {
  const {
    id,
    model,
    claim,
    source,
    verdict,
    measure,
    also = "",
    reason = "",
    paper,
    criterion,
    over,
    overall,
  } = finding;
  const [low = "", high = ""] = here?.interval ?? [];
  const own = {
    id,
    model,
    methods: methods.join("; "),
    overall,
    claim,
    source,
    verdict,
    here: here?.value ?? "",
    low,
    high,
  };
  const texts = { measure, also, reason, paper, criterion, over };
  const none = { control: "", controlValue: "", excess: "", excessLow: "", excessHigh: "", exceeded: "" };
  if (controls.length === 0) return [{ ...own, ...none, ...texts }];
  return controls.map(({ control, number, excess, exceeded }) => {
    const [excessLow = "", excessHigh = ""] = excess.interval ?? [];
    const beside = {
      control,
      controlValue: number.value,
      excess: excess.value,
      excessLow,
      excessHigh,
      exceeded: exceeded ?? "",
    };
    return { ...own, ...beside, ...texts };
  });
}
