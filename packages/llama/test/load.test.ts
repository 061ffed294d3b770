import { ConfigError, ModelError } from "@lethe/decoder";
import { encodeSafetensors, fromFloat32, LetheError, type Weight } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { goldenModel } from "@lethe/testing/golden";
import { memoryFolder, zeroWeights } from "@lethe/testing/memory-folder";
import { expect, test } from "vitest";
import { initLlama, llama, llamaConfig, loadLlama } from "../src/index.ts";
import { sizes } from "./support/sizes.ts";

const device = await testDevice();

async function messageOf(work: Promise<unknown>, kind: new (...args: never[]) => Error): Promise<string> {
  const error = await work.then(
    () => expect.fail("no error"),
    (error) => error,
  );
  expect(error).toBeInstanceOf(kind);
  return error.message;
}

const values = (weight: Weight) => weight.read() as Promise<Float32Array<ArrayBuffer>>;

test("one error lists every wrong tensor", async () => {
  const shapes = new Map(llama.shapes(llamaConfig(sizes)));
  shapes.delete("model.norm.weight");
  shapes.delete("model.layers.0.mlp.up_proj.weight");
  shapes.set("lm_head.weight", [12, 9]);
  shapes.set("model.layers.0.self_attn.q_proj.bias", [8]);
  shapes.set("model.layers.0.self_attn.rotary_emb.inv_freq", [2]);
  const folder = memoryFolder({ "config.json": sizes, "model.safetensors": zeroWeights(shapes) });
  expect(await messageOf(loadLlama(device, folder), ModelError)).toMatchInlineSnapshot(`
    "models/x/model.safetensors: its tensors are not those of the model that config.json describes.
      missing: model.layers.0.mlp.up_proj.weight [10,8]
      missing: model.norm.weight [8]
      mis-shaped: lm_head.weight is [12,9], and config.json asks for [12,8]
      unexpected: "model.layers.0.self_attn.q_proj.bias" [8]"
  `);
});

test("weights that are not floats are refused", async () => {
  const folder = memoryFolder({
    "config.json": { ...sizes, num_hidden_layers: 1 },
    "model.safetensors": zeroWeights(llama.shapes(llamaConfig(sizes)), "I64"),
  });
  expect(await messageOf(loadLlama(device, folder), ModelError)).toContain(
    "of a type that is not read: model.norm.weight is I64, expected one of F64, F32, F16, BF16",
  );
});

test("a checkpoint without an unembedding hears of tie_word_embeddings", async () => {
  const weights = zeroWeights(llama.shapes(llamaConfig({ ...sizes, tie_word_embeddings: true })));
  const folder = memoryFolder({ "config.json": sizes, "model.safetensors": weights });
  expect(await messageOf(loadLlama(device, folder), ModelError)).toMatchInlineSnapshot(`
    "models/x/model.safetensors: its tensors are not those of the model that config.json describes.
      missing: lm_head.weight [12,8]
    If the model's unembedding is its embedding, config.json must say "tie_word_embeddings": true."
  `);
});

test.each([11, 10_000, 1e5, 2_147_483_648])(
  "%i layers are compared with the checkpoint, and the message is short",
  async (count) => {
    const config = { ...sizes, num_hidden_layers: count };
    const weights = zeroWeights(llama.shapes(llamaConfig(sizes)));
    const folder = memoryFolder({ "config.json": config, "model.safetensors": weights });
    const error = await loadLlama(device, folder).catch((error) => error);
    expect(error).toBeInstanceOf(LetheError);
    expect(error.message).toContain(count === 11 ? "… and" : "num_hidden_layers");
    expect(error.message.length).toBeLessThan(3000);
  },
);

const odd: [field: string, fields: object][] = [
  ["hidden_act", { hidden_act: "gelu" }],
  ["rope_scaling.rope_type", { rope_scaling: { rope_type: "longrope", factor: 2 } }],
  ["rope_scaling", { rope_scaling: "yarn" }],
  ["rope_scaling.factor", { rope_scaling: { type: "linear" } }],
  ["rope_parameters.low_freq_factor", { rope_parameters: { rope_type: "llama3", factor: 8, high_freq_factor: 4 } }],
  ["rope_theta", { rope_parameters: { rope_theta: 0 } }],
  ["partial_rotary_factor", { partial_rotary_factor: 0.5 }],
  ["attention_bias", { attention_bias: 1 }],
  ["architectures", { architectures: ["MistralForCausalLM"] }],
  ["hidden_size", { hidden_size: "wide" }],
  ["vocab_size", { vocab_size: undefined }],
  ["num_key_value_heads", { num_key_value_heads: 3 }],
  ["head_dim", { head_dim: 3 }],
  ["model_type", { model_type: "mistral" }],
];
test.each(odd)("a wrong or unsupported field of config.json is named: %s", async (field, fields) => {
  const folder = memoryFolder({ "config.json": { ...sizes, ...fields } });
  expect(await messageOf(loadLlama(device, folder), ConfigError)).toContain(field);
});

test("quantised weights are refused, and the error names the field that says so", async () => {
  const folder = memoryFolder({ "config.json": { ...sizes, quantization_config: { quant_method: "gptq", bits: 4 } } });
  expect(await messageOf(loadLlama(device, folder), ConfigError)).toMatchInlineSnapshot(`
    "models/x: config.json:
      quantization_config says that the weights are quantised (gptq), which is not supported; use the checkpoint in f32, f16 or bf16 that this one was made from"
  `);
});

test("a tied model may hold its embedding twice, but no other unembedding", async () => {
  const tied = { ...sizes, tie_word_embeddings: true };
  const values = (first: number) =>
    fromFloat32(
      Float32Array.from({ length: 96 }, (_, i) => first + i),
      "F32",
    );
  const folder = (unembedding: number) => {
    const tensors = Array.from(llama.shapes(llamaConfig(tied)), ([name, shape]) => {
      const zeros = new Uint8Array(4 * shape.reduce((product, dim) => product * dim, 1));
      return { name, dtype: "F32" as const, shape, data: name.includes("embed") ? values(0) : zeros };
    });
    const head = { name: "lm_head.weight", dtype: "F32" as const, shape: [12, 8], data: values(unembedding) };
    return memoryFolder({ "config.json": tied, "model.safetensors": encodeSafetensors([...tensors, head]) });
  };
  using model = await loadLlama(device, folder(0));
  expect(model.weights.has("lm_head.weight")).toBe(false);
  expect(await messageOf(loadLlama(device, folder(1)), ConfigError)).toContain("tie_word_embeddings is true");
});

test("a model in shards is the model in one file", async () => {
  using whole = await goldenModel(device, "mha-untied-bf16");
  const names = [...whole.weights.keys()];
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
  const shardOf = (name: string) => shards[names.indexOf(name) % 2]!;
  const files = await Promise.all(
    shards.map(async (file) => {
      const own = names.filter((name) => shardOf(name) === file);
      const tensors = own.map(async (name) => {
        const weight = whole.weights.get(name)!;
        return { name, dtype: "BF16" as const, shape: weight.shape, data: fromFloat32(await values(weight), "BF16") };
      });
      return [file, encodeSafetensors(await Promise.all(tensors))] as const;
    }),
  );
  const folder = memoryFolder({
    "config.json": whole.config,
    "model.safetensors.index.json": { weight_map: Object.fromEntries(names.map((name) => [name, shardOf(name)])) },
    ...Object.fromEntries(files),
  });
  using loaded = await loadLlama(device, folder);
  for (const [name, weight] of whole.weights)
    expect(await values(loaded.weights.get(name)!), name).toEqual(await values(weight));
});

test("fresh weights: same seed, same weights; norms are 1, the others have their standard deviation", async () => {
  const config = { ...sizes, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2 };
  using one = initLlama(device, config, 5);
  using again = initLlama(device, config, 5);
  using another = initLlama(device, config, 6);
  const width = async (name: string) => {
    const values = await one.weights.get(name)!.read();
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  };
  for (const [name, weight] of one.weights)
    expect(await again.weights.get(name)!.read(), name).toEqual(await weight.read());
  const gate = "model.layers.0.mlp.gate_proj.weight";
  expect(await another.weights.get(gate)!.read()).not.toEqual(await one.weights.get(gate)!.read());
  expect(await one.weights.get("model.layers.1.mlp.gate_proj.weight")!.read()).not.toEqual(
    await one.weights.get(gate)!.read(),
  );
  expect(await width("model.norm.weight")).toBe(1);
  expect(await width(gate)).toBeCloseTo(0.02, 2.5);
  expect(await width("model.layers.0.mlp.down_proj.weight")).toBeCloseTo(0.02 / 2, 2.5);
});
