import type { Claim } from "../../../report/findings/claim.ts";
import type { UnpactCell } from "../scores.ts";
import { collapse } from "./collapse.ts";
import { destruction } from "./destruction.ts";
import { emphasis } from "./emphasis.ts";
import { focus } from "./focus.ts";

/** The paper's claims, in the paper's order. A new one is a file beside this one and an entry here. */
export const claims: readonly Claim<UnpactCell>[] = [focus, emphasis, destruction, collapse];
