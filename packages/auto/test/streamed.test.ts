import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { batchOf, type Decoder, type StreamedModel } from "@lethe/decoder";
import { Captures, HookError, Hooks } from "@lethe/hooks";
import {
  type ByteSource,
  encodeSafetensors,
  type FloatDType,
  type Folder,
  fromFloat32,
  type Tensor,
  type TensorToWrite,
} from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { memoryFolder, savedFolder } from "@lethe/testing/memory-folder";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { initModel, loadModel, streamModel } from "../src/index.ts";

const device = await testDevice();

const sizes = {
  vocab_size: 53,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  eos_token_id: 1,
};

/** A fresh model's directory in memory. */
async function folderOf(config: Parameters<typeof initModel>[1], dtype: FloatDType, maxShardBytes = 5e9) {
  using model = initModel(device, config, integer(0, 1e6));
  return await savedFolder(await model.files({ dtype, maxShardBytes }));
}

/** Sequences of different lengths, and some of their rows. */
function questions() {
  const sequence = (length: number) => Array.from({ length }, () => integer(2, 52));
  const batch = batchOf(device, [sequence(9), sequence(5)]);
  return { batch, rows: device.tensor([batch.row(0, 7), batch.row(0, 8), batch.row(1, 4)], [3], "u32") };
}

const sites = ["resid_pre", "m", "A", "z", "resid_post"] as const;

/** What a pass gives and what passes its sites, with the dtype and the bits of every number. */
async function bitsOf(logits: Tensor, seen: Captures) {
  const all = [["logits", logits] as const, ...seen.points().map(({ name }) => [name, seen.get(name)] as const)];
  const bits: [string, string, Uint32Array][] = [];
  for (const [name, tensor] of all) bits.push([name, tensor.dtype, new Uint32Array((await tensor.read()).buffer)]);
  return bits;
}

/** The bits of a pass with every site captured, and W_V of one layer. */
async function passOf(model: Decoder | StreamedModel, asked: ReturnType<typeof questions>) {
  using seen = new Captures();
  const watched = sites.reduce((hooks, site) => hooks.capture(site, seen), new Hooks());
  const hooks = watched
    .capture("W_V", seen, { layers: [1] })
    .capture("embed", seen)
    .capture("ln_final", seen);
  using logits = await model.forward(asked.batch, { rows: asked.rows, hooks });
  return await bitsOf(logits, seen);
}

test.each<[string, Parameters<typeof initModel>[1], FloatDType, number?]>([
  ["LLaMA in f32", { model_type: "llama", ...sizes }, "f32"],
  ["LLaMA in bf16, in shards of a few weights", { model_type: "llama", ...sizes }, "bf16", 4000],
  ["LLaMA in f16, tied", { model_type: "llama", tie_word_embeddings: true, ...sizes }, "f16"],
  ["OLMo in bf16", { model_type: "olmo", ...sizes }, "bf16"],
  ["OLMo-2 in bf16", { model_type: "olmo2", ...sizes }, "bf16"],
])("a streamed pass of %s has the bits of the loaded model's", async (_, config, dtype, maxShardBytes) => {
  const folder = await folderOf(config, dtype, maxShardBytes);
  const asked = questions();
  using loaded = await loadModel(device, folder);
  const streamed = await streamModel(device, folder);
  const wanted = await passOf(loaded, asked);
  expect(wanted.length).toBe(1 + 3 * sites.length + 3);
  expect(wanted.find(([name]) => name === "W_V.1")![1]).toBe(dtype);
  expect(await passOf(streamed, asked)).toEqual(wanted);
  // Again, because a pass leaves nothing behind.
  expect(await passOf(streamed, asked)).toEqual(wanted);
  await streamed.close();
});

/** A LLaMA whose blocks and norms have several dtypes on disk. */
async function mixedFolder(): Promise<Folder> {
  using model = initModel(device, { model_type: "llama", ...sizes }, integer(0, 1e6));
  const tensors: TensorToWrite[] = [];
  for (const [name, weight] of model.weights) {
    const dtype = name.includes("layers.1.") ? "F16" : name.includes("norm") ? "F32" : "BF16";
    const data = fromFloat32((await weight.read()) as Float32Array<ArrayBuffer>, dtype);
    tensors.push({ name, dtype, shape: weight.shape, data });
  }
  return memoryFolder({ "config.json": { ...model.config }, "model.safetensors": encodeSafetensors(tensors) });
}

test("blocks of different dtypes have a place each, and the bits of the loaded model's", async () => {
  const folder = await mixedFolder();
  const asked = questions();
  using loaded = await loadModel(device, folder);
  const streamed = await streamModel(device, folder);
  expect(await passOf(streamed, asked)).toEqual(await passOf(loaded, asked));
  await streamed.close();
});

test("a weight is read alone, and all weights into another model, as it is loaded", async () => {
  const folder = await folderOf({ model_type: "llama", ...sizes }, "bf16");
  using loaded = await loadModel(device, folder, { dtype: "f32" });
  using other = initModel(device, { model_type: "llama", ...sizes }, 7);
  const streamed = await streamModel(device, folder);
  await streamed.giveWeights(other);
  expect([...streamed.weights.keys()]).toEqual([...loaded.weights.keys()]);
  for (const [name, weight] of loaded.weights) {
    using one = await streamed.weight(name);
    expect(one.dtype).toBe("bf16");
    expect(streamed.weights.get(name)).toEqual({ shape: one.shape, dtype: "bf16" });
    expect(await one.read()).toEqual(await weight.read());
    expect(await other.weights.get(name)!.read()).toEqual(await weight.read());
  }
  using wide = await streamed.copyIn(() => "f32");
  using rounded = await streamed.copyIn((name) => (name.includes("norm") ? "f16" : "bf16"));
  for (const [name, weight] of loaded.weights) {
    expect(await wide.weights.get(name)!.read()).toEqual(await weight.read());
    expect(rounded.weights.get(name)!.dtype).toBe(name.includes("norm") ? "f16" : "bf16");
    // Norms begin at 1, which every dtype has.
    expect(await rounded.weights.get(name)!.read()).toEqual(await weight.read());
  }
  await expect(streamed.weight("model.layers.9.mlp.up_proj.weight")).rejects.toThrow('no weight "model.layers.9');
  using narrow = initModel(device, { model_type: "llama", ...sizes, hidden_size: 32 }, 7);
  await expect(streamed.giveWeights(narrow)).rejects.toThrow(
    "lm_head.weight is [53,16] in models/x and [53,32] in llama",
  );
  await streamed.close();
});

test("hooks that do not fit the pass, and a stop, end it and leave nothing on the device", async () => {
  const streamed = await streamModel(device, await folderOf({ model_type: "llama", ...sizes }, "bf16"));
  const { batch } = questions();
  using seen = new Captures();
  const before = device.memory().bytesInUse;
  const absent = new Hooks().capture("m", seen, { layers: [3] });
  await expect(streamed.forward(batch, { hooks: absent })).rejects.toThrow(HookError);
  const stopping = new AbortController();
  const onProgress = () => stopping.abort(new Error("stopped"));
  await expect(streamed.forward(batch, { signal: stopping.signal, onProgress })).rejects.toThrow("stopped");
  expect(device.memory().bytesInUse).toBe(before);
  await streamed.close();
});

/** A file of zeros that is nowhere whole: it is made as it is read, and counts what is read at once. */
function zeros(header: Uint8Array, size: number, onRead: (bytes: number) => void): ByteSource {
  return {
    name: "models/zeros/model.safetensors",
    size,
    async read(begin, length) {
      onRead(length);
      const bytes = new Uint8Array(length);
      if (begin < header.length) bytes.set(header.subarray(begin, begin + length));
      return bytes;
    },
  };
}

/** A LLaMA of zeros in bf16, which has no bytes anywhere. */
function largeFolder(config: Parameters<typeof initModel>[1], onRead: (bytes: number) => void): Folder {
  const [d, n, v] = [config.hidden_size as number, config.intermediate_size as number, config.vocab_size as number];
  const block = {
    "input_layernorm.weight": [d],
    "self_attn.q_proj.weight": [d, d],
    "self_attn.k_proj.weight": [d, d],
    "self_attn.v_proj.weight": [d, d],
    "self_attn.o_proj.weight": [d, d],
    "post_attention_layernorm.weight": [d],
    "mlp.gate_proj.weight": [n, d],
    "mlp.up_proj.weight": [n, d],
    "mlp.down_proj.weight": [d, n],
  };
  const shapes: [string, number[]][] = [
    ["model.embed_tokens.weight", [v, d]],
    ...Array.from({ length: config.num_hidden_layers as number }, (_, layer) =>
      Object.entries(block).map(([name, shape]): [string, number[]] => [`model.layers.${layer}.${name}`, shape]),
    ).flat(),
    ["model.norm.weight", [d]],
    ["lm_head.weight", [v, d]],
  ];
  let end = 0;
  const entries = shapes.map(([name, shape]) => {
    const begin = end;
    end += 2 * shape.reduce((product, dim) => product * dim, 1);
    return [name, { dtype: "BF16", shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(8 + json.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(json.length), true);
  header.set(json, 8);
  const small = memoryFolder({ "config.json": config });
  const open = async (file: string) =>
    file === "model.safetensors" ? zeros(header, header.length + end, onRead) : small.open(file);
  return { name: "models/zeros", open };
}

test("a streamed pass has one block on the device, and pieces in the host's memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const config = {
    model_type: "llama",
    ...{ vocab_size: 512, hidden_size: 512, intermediate_size: 2048, num_hidden_layers: 24, num_attention_heads: 8 },
  };
  collect();
  const before = process.memoryUsage().arrayBuffers;
  let [most, largest, read] = [0, 0, 0];
  const folder = largeFolder(config, (bytes) => {
    collect();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    largest = Math.max(largest, bytes);
    read += bytes;
  });
  const streamed = await streamModel(device, folder);
  const batch = batchOf(device, [[1, 2, 3, 4]]);
  const planned = streamed.memory().reduce((sum, { bytes }) => sum + bytes, 0);
  const inUse = device.memory().bytesInUse;
  device.pool.resetPeak();
  (await streamed.forward(batch)).dispose();
  const peak = device.memory().peakBytes - inUse;
  await streamed.close();
  const block = 2 * (4 * 512 ** 2 + 3 * 512 * 2048);
  const whole = 24 * block + 4 * 512 * 512;
  expect(read).toBeGreaterThan(whole);
  expect(planned).toBeGreaterThan(block + 4 * 512 * 512);
  // Beside the weights there are a few activations and a rotary table.
  expect(peak - planned).toBeGreaterThan(0);
  expect(peak - planned).toBeLessThan(2 ** 18);
  const piece = 8 * 2 ** 20;
  expect(largest).toBeLessThanOrEqual(piece);
  expect(whole).toBeGreaterThan(20 * piece);
  // Five pieces, and copies of those that wait for their turn.
  expect(most).toBeLessThan(8 * piece);
});
