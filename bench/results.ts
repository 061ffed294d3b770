import type { Device } from "@lethe/tensor";
import type { ExperimentTimes } from "./against/experiment.ts";
import type { AgainstRow } from "./against/run.ts";
import type { ModelRow } from "./model/run.ts";
import type { PeerResults } from "./peers/run.ts";
import type { Roofline } from "./roofline.ts";
import type { Row } from "./row.ts";
import type { Verdict } from "./targets.ts";

/** What a run of the bench found, as it is written: on which adapter, and the figures of the part that ran. */
export interface Results {
  readonly adapter: string;
  readonly capabilities: Device["capabilities"];
  readonly roofline?: Roofline;
  readonly rows?: readonly Row[];
  /** Cases that did not run here, and why. */
  readonly left?: readonly string[];
  readonly model?: readonly ModelRow[];
  readonly peers?: PeerResults;
  /** The commit that `against` and `experiment` compare with. */
  readonly commit?: string;
  readonly against?: readonly AgainstRow[];
  readonly experiment?: ExperimentTimes;
  readonly verdicts: readonly Verdict[];
}
