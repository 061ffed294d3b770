import type { Claim } from "../../../report/findings/claim.ts";
import type { RestorationCell } from "../scores.ts";
import { isolated } from "./isolated.ts";
import { lastLayers } from "./last-layers.ts";
import { fromMiddle } from "./middle.ts";
import { together } from "./together.ts";
import { valueVectors } from "./value-vectors.ts";

const [valueVectorsFree, valueVectorsIsolated] = valueVectors;

/** The paper's claims about restoration, in the paper's order. A new one is a file beside this one and an entry here. */
export const claims: readonly Claim<RestorationCell>[] = [
  valueVectorsFree!,
  ...fromMiddle,
  lastLayers,
  together,
  ...isolated,
  valueVectorsIsolated!,
];
