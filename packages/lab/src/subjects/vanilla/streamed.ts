import { streamModel } from "@lethe/auto";
import type { ModelPlace } from "@lethe/decoder";
import { type Device, sketchDevice } from "@lethe/tensor";
import { streamVanilla, streamVanillaMemory } from "@lethe/unlearn";
import type { Vanilla } from "./vanilla.ts";

/** A vanilla model that is read from its place whenever it is needed, so that it never stands beside a model that is trained. */
export async function streamed(device: Device, place: ModelPlace): Promise<Vanilla> {
  const files = await streamModel(device, place);
  const { config, text, stopTokens, label, weights } = files;
  const sketch = sketchDevice(device.capabilities);
  const sizes = files.blank(sketch);
  return {
    ...{ model: undefined, sizes, device, config, text, stopTokens, label, weights },
    weight: (name, watch) => files.weight(name, watch),
    record: (questions, wanted) => streamVanilla(files, questions, wanted),
    recordingMemory: (wanted) => streamVanillaMemory(files, wanted),
    async whole(work) {
      using model = await files.copyIn((name) => weights.get(name)!.dtype);
      return await work(model);
    },
    copy: (dtypeOf) => files.copyIn(dtypeOf),
    giveWeights: (copy, signal) => files.giveWeights(copy, { signal }),
    async close() {
      sizes.dispose();
      sketch.destroy();
      await files.close();
    },
  };
}
