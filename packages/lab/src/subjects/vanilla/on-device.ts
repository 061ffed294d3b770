import type { Decoder } from "@lethe/decoder";
import { runVanilla } from "@lethe/unlearn";
import type { Vanilla } from "./vanilla.ts";

/** A vanilla model that stays on the device, in its dtypes on disk. It is disposed of when it is closed. */
export function onDevice(model: Decoder): Vanilla & { readonly model: Decoder } {
  const { device, config, text, stopTokens, label, weights } = model;
  return {
    ...{ model, sizes: model, device, config, text, stopTokens, label, weights },
    weight: async (name) => weights.get(name)!.retain(),
    record: async (questions, { settings }) => runVanilla(model, questions, settings),
    recordingMemory: () => [],
    whole: (work) => work(model),
    copy: async (dtypeOf) => model.copyIn(dtypeOf),
    giveWeights: async (copy) => copy.takeWeights(model),
    close: async () => model.dispose(),
  };
}
