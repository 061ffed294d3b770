import { readFileSync } from "node:fs";
import { batchOf, ConfigError } from "@lethe/decoder";
import { encodeSafetensors, fromFloat32, type TensorToWrite } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { memoryFolder } from "@lethe/testing/memory-folder";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { llama, llamaConfig, loadLlama } from "../src/index.ts";
import { sizes } from "./support/sizes.ts";

/** What `transformers` makes of the same directories; see golden/tolerant.py. */
const outcomes: Record<string, { same?: boolean; ends?: number[]; error?: string }> = JSON.parse(
  readFileSync(new URL("golden/tolerant.json", import.meta.url), "utf8"),
);

const device = await testDevice();
const tied = { ...sizes, tie_word_embeddings: true, eos_token_id: 2 };
const tensors = Array.from(llama.shapes(llamaConfig(tied)), ([name, shape]): TensorToWrite => {
  const values = Float32Array.from(normal(shape.reduce((product, dim) => product * dim, 1)));
  return { name, dtype: "F32", shape, data: fromFloat32(values, "F32") };
});
const plain = {
  "config.json": tied,
  "generation_config.json": { eos_token_id: 2 },
  "model.safetensors": encodeSafetensors(tensors),
};

const config = (fields: object) => ({ "config.json": { ...tied, ...fields } });
const weights = (rename: (name: string) => string, more: TensorToWrite[] = []) => ({
  "model.safetensors": encodeSafetensors([
    ...tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
    ...more,
  ]),
});
const generation = (text: string) => ({ "generation_config.json": text });
const ones = (name: string): TensorToWrite => ({ name, dtype: "U8", shape: [1], data: Uint8Array.of(1) });

/** The same changes as in tolerant.py: files, and what is warned of. */
const variants: Record<string, readonly [files: object, warning?: string]> = {
  LLaMAForCausalLM: [config({ architectures: ["LLaMAForCausalLM"] })],
  LlamaModel: [config({ architectures: ["LlamaModel"] })],
  infinite: [{ "config.json": `{"time_step_limit": [0, Infinity], "other": NaN, ${JSON.stringify(tied).slice(1)}` }],
  "sliding window": [config({ sliding_window: 2 })],
  "head alone": [weights((name) => name.replace("model.embed_tokens", "lm_head"))],
  "no prefix": [weights((name) => name.replace("model.", ""))],
  f64: [
    {
      "model.safetensors": encodeSafetensors(
        tensors.map((tensor) => {
          const values = Float64Array.from(new Float32Array(tensor.data.slice().buffer));
          return { ...tensor, dtype: "F64", data: new Uint8Array(values.buffer) };
        }),
      ),
    },
    "models/x/model.safetensors: its weights in f64 are rounded to f32",
  ],
  extra: [
    weights((name) => name, [ones("extra"), ones("model.layers.7.mlp.up_proj.weight")]),
    'models/x/model.safetensors: its model has no use for "extra", "model.layers.7.mlp.up_proj.weight"; they are not loaded',
  ],
  "null metadata": [{ "model.safetensors": withNullMetadata(plain["model.safetensors"]) }],
  unlisted: [
    {
      "model.safetensors": undefined,
      "1.safetensors": plain["model.safetensors"],
      "model.safetensors.index.json": {
        weight_map: Object.fromEntries(
          tensors.flatMap(({ name }) => (name.includes("norm") ? [] : [[name, "1.safetensors"]])),
        ),
      },
    },
    'models/x/model.safetensors.index.json: the shard "1.safetensors" holds tensors that the index does not list: "model.layers.0.input_layernorm.weight", "model.layers.0.post_attention_layernorm.weight", "model.norm.weight"',
  ],
  "negative end": [config({ eos_token_id: -1 })],
  "generation: text": [generation('{"eos_token_id": "2"}')],
  "generation: list": [generation('{"eos_token_id": [2, 5]}')],
  "generation: null": [generation('{"eos_token_id": null}')],
  "generation: absent": [generation("{}")],
  "generation: none": [{ "generation_config.json": undefined }],
};

function withNullMetadata(file: Uint8Array): Uint8Array {
  const length = new DataView(file.buffer).getUint32(0, true);
  const header = new TextDecoder().decode(file.subarray(8, 8 + length)).replace("{", () => '{"__metadata__":null,');
  const head = new TextEncoder().encode(header);
  const changed = new Uint8Array(8 + head.length + file.length - 8 - length);
  new DataView(changed.buffer).setUint32(0, head.length, true);
  changed.set(head, 8);
  changed.set(file.subarray(8 + length), 8 + head.length);
  return changed;
}

async function outcomeOf(files: object) {
  const warnings: string[] = [];
  const present = Object.fromEntries(
    Object.entries({ ...plain, ...files }).filter(([, content]) => content !== undefined),
  );
  using model = await loadLlama(device, memoryFolder(present), { warn: (message) => warnings.push(message) });
  using batch = batchOf(device, [[1, 7, 3]]);
  using logits = model.forward(batch);
  return { logits: await logits.read(), ends: model.stopTokens, warnings };
}

const { logits } = await outcomeOf({});

test.each(Object.entries(outcomes))("as transformers: %s", async (name, { same, ends, error }) => {
  const [files, warning] = variants[name]!;
  if (error) return void (await expect(outcomeOf(files)).rejects.toBeInstanceOf(ConfigError));
  const outcome = await outcomeOf(files);
  expect(outcome.logits).toEqual(same ? logits : expect.fail());
  expect(outcome.ends).toEqual(ends);
  expect(outcome.warnings).toEqual(warning ? [warning] : []);
});

test("fields of generation_config.json by which transformers would choose other tokens are warned of", async () => {
  const fields = {
    eos_token_id: 2,
    do_sample: true,
    temperature: 0.6,
    num_beams: 1,
    repetition_penalty: 1.2,
    stop_strings: ["x"],
  };
  expect((await outcomeOf({ "generation_config.json": fields })).warnings).toMatchInlineSnapshot(`
    [
      "models/x: generation_config.json: fields that Lethe ignores:
      repetition_penalty is 1.2, which is not supported; expected 1
      stop_strings is ["x"], which is not supported; expected null",
    ]
  `);
});
