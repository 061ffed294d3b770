import { openDevice } from "@lethe/tensor";
import { smallLlama } from "@lethe/testing/llama";
import { expect, onTestFinished, test, vi } from "vitest";

test("decoding makes nothing on the device once it has run: each token finds its buffers and bind groups again", async () => {
  const device = await openDevice();
  onTestFinished(() => device.destroy());
  using model = smallLlama(device, 1);
  const decode = () => model.generate([[3, 4], [5]], { maxNewTokens: 40, stop: [] });
  const first = await decode();
  await decode();
  const made = (["createBuffer", "createBindGroup", "createComputePipeline"] as const).map((name) =>
    vi.spyOn(device.gpu, name),
  );
  expect(await decode()).toEqual(first);
  for (const make of made) expect(make).not.toHaveBeenCalled();
});
