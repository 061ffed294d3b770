import {
  bytesSource,
  encodeSafetensors,
  fromFloat32,
  OutOfMemoryError,
  openDevice,
  openSafetensors,
} from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { expect, onTestFinished, test, vi } from "vitest";
import { readWeights } from "../src/checkpoint/read-weights.ts";
import { ModelError } from "../src/errors.ts";

const device = await testDevice();

/** A checkpoint of bf16 tensors that hold 1, 2, 3, … */
function checkpointOf(shapes: Readonly<Record<string, readonly number[]>>) {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = fromFloat32(
      Float32Array.from({ length: size }, (_, i) => i + 1),
      "BF16",
    );
    return { name, dtype: "BF16" as const, shape, data };
  });
  return openSafetensors(bytesSource(encodeSafetensors(tensors), "x.safetensors"));
}

/** Three rows of a fused tensor are one weight, the fourth is another. A row has 3 elements, so the second weight begins within a word. */
const fused = {
  shapes: new Map([
    ["gate", [1, 3]],
    ["up", [3, 3]],
    ["bias", [2]],
    ["norm", [3]],
    ["first", [1]],
  ]),
  sources: new Map([
    ["gate", { tensor: "ff_proj", firstRow: 3 }],
    ["up", { tensor: "ff_proj", firstRow: 0 }],
    ["first", { tensor: "biases", firstRow: 0 }],
    ["bias", { tensor: "biases", firstRow: 1 }],
  ]),
};

test.each([undefined, "f32"] as const)("weights that are rows of a fused tensor, as %s", async (dtype) => {
  const checkpoint = await checkpointOf({ ff_proj: [4, 3], biases: [3], norm: [3] });
  const weights = await readWeights(device, checkpoint, fused.shapes, { ...fused, ...(dtype && { dtype }) });
  const read = async (name: string) => [...(await weights.get(name)!.read())];
  expect(await read("up")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await read("gate")).toEqual([10, 11, 12]);
  expect(await read("first")).toEqual([1]);
  expect(await read("bias")).toEqual([2, 3]);
  expect(await read("norm")).toEqual([1, 2, 3]);
  for (const [name, weight] of weights) {
    expect(weight.shape).toEqual(fused.shapes.get(name));
    expect(weight.dtype).toBe(dtype ?? "bf16");
    weight.dispose();
  }
});

test("errors name a fused tensor as the checkpoint does, with the rows of all its weights", async () => {
  const checkpoint = await checkpointOf({ ff_proj: [5, 3], gate: [1, 3], norm: [3] });
  await expect(readWeights(device, checkpoint, fused.shapes, fused)).rejects.toThrow(
    new ModelError(
      [
        "x.safetensors: its tensors are not those of the model that config.json describes.",
        "  mis-shaped: ff_proj is [5,3], and config.json asks for [4,3]",
        "  missing: biases [3]",
        '  unexpected: "gate" [1,3]',
      ].join("\n"),
    ),
  );
});

test("a model that does not fit is refused before the first upload, with the bytes of each part", async () => {
  const shapes = new Map([
    ["model.embed_tokens.weight", [256, 8]],
    ["model.layers.0.input_layernorm.weight", [8]],
    ["model.layers.0.self_attn.q_proj.weight", [8, 8]],
    ["model.layers.0.mlp.up_proj.weight", [64, 8]],
    ["model.layers.0.mlp.down_proj.weight", [8, 64]],
    ["lm_head.weight", [256, 8]],
  ]);
  const checkpoint = await checkpointOf(Object.fromEntries(shapes));
  const small = await openDevice({ memoryBytes: 20_000 });
  onTestFinished(() => small.destroy());
  const weights = await readWeights(small, checkpoint, shapes);
  // Each weight begins at an aligned byte.
  expect(small.memory().bytesInUse).toBe(10_384 + 240 + 128);
  for (const weight of weights.values()) weight.dispose();
  const uploads = vi.spyOn(small, "writeBytes");
  const error = await readWeights(small, checkpoint, shapes, { dtype: "f32" }).catch((error) => error);
  expect(error).toBeInstanceOf(OutOfMemoryError);
  expect(error.message.replace(small.adapterName, "ADAPTER")).toMatchInlineSnapshot(`
    "x.safetensors needs 20,768 bytes (20.3 KiB) of memory, and ADAPTER has 20,000 bytes (19.5 KiB) to offer.
      embedding    8,192 bytes (8.0 KiB)
      norms        32 bytes
      attention    256 bytes
      MLP          4,096 bytes (4.0 KiB)
      unembedding  8,192 bytes (8.0 KiB)
    Leave the weights in the dtype they have on disk: only training needs dtype "f32". Take a smaller model, or another adapter."
  `);
  expect(uploads).not.toHaveBeenCalled();
});
