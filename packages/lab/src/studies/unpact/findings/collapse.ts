import type { Claim } from "../../../report/findings/claim.ts";
import { meanOfLists } from "../../../report/panels.ts";
import { score } from "../../../report/tables.ts";
import { lostOf } from "../collapse-scores.ts";
import type { UnpactCell } from "../scores.ts";
import { ABSTRACT, NOT_KNOWN } from "./texts.ts";

/** Common words that lose this share of what content words lose, or more, lose as they do. */
const ALIKE = 0.5;
/** Less than this, in nats a token, is no collapse. */
const LEAST = 0.1;

/** The third finding: collapse comes from penalising all tokens, common words too. */
export const collapse: Claim<UnpactCell> = {
  id: "unpact.collapse",
  claim: "Common words lose as content words do",
  source: ABSTRACT,
  measure:
    "log-probability that a token of common words loses, as a share of what one of content words loses, on other questions",
  paper: NOT_KNOWN,
  criterion: `the share is at least ${ALIKE}, where content words lose at least ${LEAST} nats`,
  beyond: "higher",
  on: () => ({
    numbers: (some) => meanOfLists(some.map((cell) => [...sumsOf(cell, "common"), ...sumsOf(cell, "content")])),
    judge([common, commonTokens, content, contentTokens]) {
      if (commonTokens === 0 || contentTokens === 0) return "the other questions lack common words or content words";
      const [byCommon, byContent] = [common! / commonTokens!, content! / contentTokens!];
      if (byContent < LEAST)
        return `content words of other questions lose ${score(byContent)} nats, so nothing collapsed`;
      return {
        value: byCommon / byContent,
        holds: byCommon / byContent >= ALIKE,
        also: `common ${score(byCommon)} nats a token, content ${score(byContent)}`,
      };
    },
  }),
};

/** What the tokens of a class lose in all, and their number. */
function sumsOf(cell: UnpactCell, of: "common" | "content"): [lost: number, tokens: number] {
  const { drop, count } = lostOf(cell, "unrelated", (group) => group.class === of);
  return [(drop ?? 0) * count, count];
}
