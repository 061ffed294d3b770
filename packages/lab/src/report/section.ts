import type { Html } from "./html.ts";

/** What a study adds to a report. */
export interface StudySections {
  /** For the head of the page: what was done, and the result in one table. */
  readonly summary: Html;
  /** Each has a heading of its own. */
  readonly sections: readonly { readonly title: string; readonly body: Html }[];
  /** How the study's numbers are to be read, and what they cannot show. */
  readonly limits: Html;
  /** Files beside the page: their content by their path from the report's folder, such as "figures/krs.svg". */
  readonly files: Readonly<Record<string, string>>;
}
