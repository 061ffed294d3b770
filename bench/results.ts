import type { Device } from "@lethe/tensor";
import type { ExperimentTimes } from "./against/experiment.ts";
import type { AgainstRow } from "./against/run.ts";
import type { Left } from "./case.ts";
import type { ModelRow } from "./model/run.ts";
import type { Library } from "./peers/peer.ts";
import type { PeerRow } from "./peers/race.ts";
import type { Roofline } from "./roofline.ts";
import type { Row } from "./row.ts";
import type { Verdict } from "./targets.ts";

/** What a run of the bench found, as it is written: on which adapter, and the figures of the part that ran. */
export interface Results {
  readonly adapter: string;
  readonly capabilities: Device["capabilities"];
  readonly roofline?: Roofline;
  readonly rows?: readonly Row[];
  /** What did not run here, and why. */
  readonly left?: readonly Left[];
  readonly model?: readonly ModelRow[];
  /** The libraries that ran beside each other, Lethe first, and what they did. */
  readonly libraries?: readonly Library[];
  readonly peers?: readonly PeerRow[];
  /** The commit that `against` and `experiment` compare with. */
  readonly commit?: string;
  readonly against?: readonly AgainstRow[];
  readonly experiment?: ExperimentTimes;
  readonly verdicts: readonly Verdict[];
}
