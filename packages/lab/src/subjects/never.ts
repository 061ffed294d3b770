import { initModel } from "@lethe/auto";
import type { ModelPlace } from "@lethe/decoder";
import { z } from "zod";
import { sha256 } from "#sha256";
import { ExperimentError } from "../errors.ts";
import { hex } from "../host/sha256.ts";
import { pretrain } from "../tiny/pretrain.ts";
import { pretrainingSchema, readPretraining } from "../tiny/pretraining-record.ts";
import { changeRecord } from "./change.ts";
import { recordFinished } from "./finished.ts";
import { placeName } from "./place.ts";
import { answersRecord, type SubjectKind, type SubjectTask } from "./subject.ts";

const config = z.strictObject({
  kind: z.literal("never"),
  /** How the vanilla model was trained, and so this one: with the same seed, on the same data without the concept. */
  pretraining: pretrainingSchema,
});
type Config = z.infer<typeof config>;

const record = answersRecord.extend({ change: changeRecord });

/** A model of the vanilla model's shape that is trained from scratch as that was, but never reads of the concept. */
export const never: SubjectKind<Config, z.infer<typeof record>> = {
  kind: "never",
  unseeded: true,
  unrehearsed: true,
  config,
  record,
  control: {
    description:
      "a model that is trained from scratch as the vanilla model was, without the concept; only for models whose directory has a " +
      "pretraining.json, such as those that come with Lethe",
    controls: () => true,
  },
  async choose(names, { model, data }) {
    if (names.length === 0) return [];
    const pretraining = await readPretraining(model);
    if (!pretraining)
      throw new ExperimentError(
        `--control never trains a model as ${placeName(model)} was trained, and that is not known: it has no pretraining.json. ` +
          "The models that come with Lethe have one, and npm run pretrain writes one. Do without this control.",
      );
    if (pretraining.data !== data.sha256)
      throw new ExperimentError(
        `--control never: ${placeName(model)} was not trained on ${data.path} as it is now. Give the file that it was trained on with --data.`,
      );
    return [{ config: { kind: "never", pretraining }, sources: { concepts: data.concepts } }];
  },
  label: () => ({ name: "never", title: "Never trained on the concept" }),
  async make(task) {
    const model = await task.models.load(await trainedModel(task));
    return { model, ...(await recordFinished(model, await task.known(), task, 0.9)) };
  },
};

/** Where the trained model is. It is trained where an earlier cell has not done so on this adapter. */
async function trainedModel({ config, sources, models, watcher }: SubjectTask<Config>): Promise<ModelPlace> {
  const { vanilla, pretrained } = models;
  const { device, text } = vanilla;
  const { model: reference, concept, subject } = config;
  const decides = JSON.stringify([reference.sha256, concept.sha256, subject.pretraining, device.adapterName]);
  const key = hex(sha256().update(decides).digest()).slice(0, 16);
  const found = await pretrained.find(key);
  if (found) {
    watcher.remark(`a model that never read of ${concept.name} is in ${placeName(found)}`);
    return found;
  }
  const others = sources.concepts!.filter(({ id, name }) => id !== concept.id || name !== concept.name);
  const { seed, recipe } = subject.pretraining;
  using model = initModel(device, { ...vanilla.config }, seed, text);
  for await (const { step, totalSteps: of, loss } of pretrain(model, others, recipe, seed)) {
    watcher.signal.throwIfAborted();
    watcher.progress((0.9 * step) / of, "training from scratch", { step: { done: step, of }, loss });
  }
  // Awaited: the model is disposed of when this function ends.
  return await pretrained.save(key, model, sources.model);
}
