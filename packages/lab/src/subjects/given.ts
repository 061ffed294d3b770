import { z } from "zod";
import { ExperimentError } from "../errors.ts";
import { changeRecord, measureChange } from "./change.ts";
import { askQuestions, recordAnswers } from "./known-answers.ts";
import { answersRecord, modelReference, type SubjectKind } from "./subject.ts";

export const givenConfig = z.strictObject({ kind: z.literal("given"), unlearned: modelReference });

const record = answersRecord.extend({ change: changeRecord });

/** Fields that must be equal in both models, so that the activations of one can be put into the other. */
const SAME = ["model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size"] as const;

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
        return { config: { kind: "given", unlearned: await reference(unlearned) }, sources: { unlearned } } as const;
      }),
    );
  },
  label: ({ unlearned: { name } }) => ({ name, title: name }),
  async make({ config, sources, models, known, watcher }) {
    const { vanilla } = models;
    const model = await models.load(sources.unlearned!);
    const different = SAME.find((field) => model.config[field] !== vanilla.config[field]);
    if (different)
      throw new ExperimentError(
        `${model.label} has ${different} ${model.config[different]}, but ${vanilla.label} has ${vanilla.config[different]}. ` +
          "An unlearned model must be of the family and the size of its vanilla model.",
      );
    const onToken = (tokensPerSecond: number) => watcher.progress(0, "answering", { tokensPerSecond });
    const knownAnswers = await known();
    const asked = { config, models };
    const answers = await askQuestions(model, knownAnswers, asked, { onToken, signal: watcher.signal });
    const change = await measureChange(model, { vanilla, known: knownAnswers, signal: watcher.signal });
    return { model, record: { ...recordAnswers(config, knownAnswers, [answers]), change } };
  },
};
