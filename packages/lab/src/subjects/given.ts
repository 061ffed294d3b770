import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import { requireBelonging, requireChanged } from "./belonging.ts";
import { changeRecord } from "./change.ts";
import { recordFinished } from "./finished.ts";
import { answersRecord, modelReference, type SubjectKind } from "./subject.ts";

export const givenConfig = z.strictObject({ kind: z.literal("given"), unlearned: modelReference });

const record = answersRecord.extend({ change: changeRecord });

/** An unlearned checkpoint that is there already. Nothing is trained. */
export const given: SubjectKind<z.infer<typeof givenConfig>, z.infer<typeof record>> = {
  kind: "given",
  unseeded: true,
  config: givenConfig,
  record,
  option: {
    flags: "--unlearned <model>",
    description: "an unlearned model that exists already, to be compared with the one --model from which it was made",
  },
  async choose(directories, { models, reference }) {
    if (directories.length > 0 && models.length !== 1)
      throw new ExperimentError(
        "--unlearned needs the vanilla model from which it was made: give exactly one --model.",
      );
    return Promise.all(
      directories.map(async (unlearned) => {
        await requireBelonging(models[0]!, unlearned);
        return { config: { kind: "given", unlearned: await reference(unlearned) }, sources: { unlearned } } as const;
      }),
    );
  },
  label: ({ unlearned: { name } }) => ({ name, title: name }),
  async make(task) {
    const { sources, models, known, watcher } = task;
    const model = await models.load(sources.unlearned!);
    await requireChanged(models.vanilla, model, watcher.signal);
    return { model, ...(await recordFinished(model, await known(), task, 0)) };
  },
};
