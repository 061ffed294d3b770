import { castInto } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { normal } from "@lethe/testing/random";
import { compareWeights } from "@lethe/unlearn";
import { expect, test } from "vitest";
import type { StudySubject } from "../../src/studies/study.ts";
import { weights } from "../../src/studies/weights/study.ts";
import { onDevice } from "../../src/subjects/vanilla/on-device.ts";

const device = await testDevice();

test("the weights study measures a subject, and one after it, with the numbers of compareWeights", async () => {
  using vanilla = smallLlama(device, 1);
  using model = vanilla.copyInF32();
  const kept = onDevice(vanilla);
  const shares: number[] = [];
  const watcher = {
    progress: (share: number) => shares.push(share),
    remark() {},
    signal: new AbortController().signal,
  };
  const measure = async () => {
    const measured = await weights.measure({ vanilla: kept, model } as unknown as StudySubject, {}, watcher);
    return weights.schema.parse(JSON.parse(JSON.stringify(measured)));
  };
  expect(weights.summary(await measure())).toBe("weights changed by 0.0%");
  const down = model.weights.get("model.layers.1.mlp.down_proj.weight")!;
  castInto(down, device.tensor(normal(down.size), down.shape));
  // The norms of the vanilla model are known now.
  const measured = await measure();
  expect(measured.weights).toEqual(await compareWeights(vanilla, model));
  expect(measured.weights.filter(({ change }) => change > 0).map(({ name }) => name)).toEqual([down.label]);
  expect(shares.every((share) => share >= 0 && share < 1)).toBe(true);
});
