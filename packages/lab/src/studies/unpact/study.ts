import { findingsOf } from "../../report/findings/judge.ts";
import type { Subject } from "../../subjects/subject.ts";
import { wholeOf } from "../../subjects/vanilla/vanilla.ts";
import type { Study } from "../study.ts";
import { unpactCost } from "./cost.ts";
import { claims } from "./findings/claims.ts";
import { attributionsAtEpoch } from "./measure/subject-attributions.ts";
import { measureUnpact } from "./measure.ts";
import { metrics } from "./metrics.ts";
import { type UnpactOptions, unpactOptions } from "./options.ts";
import { forgottenShare, promptsOf, recoveryOf } from "./rates.ts";
import { type UnpactResult, unpactSchema } from "./schema.ts";
import { sections } from "./sections.ts";

/** Which words of the prompt the model stopped listening to, and whether saying them louder brings the answer back (unPact, arXiv 2509.24675). */
export const unpact: Study<UnpactOptions, UnpactResult> = {
  name: "unpact",
  title: "unPact: key words of the prompt, and what emphasis brings back",
  options: unpactOptions,
  schema: unpactSchema,
  cost: unpactCost,
  vanillaOnDevice: true,
  atEpoch: (subject, ...rest) => attributionsAtEpoch(beside(subject), ...rest),
  measure: (subject, ...rest) => measureUnpact(beside(subject), ...rest),
  summary(result) {
    const { count, of } = forgottenShare([{ result }]);
    const back = promptsOf([{ result }])
      .filter(({ kind, control }) => kind === "emphasis" && !control)
      .map((prompt) => `${prompt.name} ${recoveryOf([{ result }], prompt).count}`);
    return `${count} of ${of} answers forgotten, of them back by ${back.join(", ")}`;
  },
  findings: (cells) => findingsOf(claims, cells),
  metrics,
  sections,
};

/** The subject with the vanilla model on the device. */
function beside<S extends Subject>(subject: S) {
  return { ...subject, vanilla: wholeOf(subject.vanilla, "--study unpact") };
}
