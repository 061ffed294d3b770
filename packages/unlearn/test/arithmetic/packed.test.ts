import type { Decoder, ForwardOptions } from "@lethe/decoder";
import { initOlmo } from "@lethe/olmo";
import { type F32, type FloatDType, type Ops, ops, type Tensor } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { smallLlama } from "@lethe/testing/llama";
import { integer } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { labelledBatch, Tape } from "../../src/index.ts";

const device = await testDevice();
/** The same operations by another object, which offers none fused. */
const plain: Ops = { ...ops };
const texts = Array.from({ length: 3 }, (_, i) => Array.from({ length: 5 + 3 * i }, () => integer(1, 52)));

const families: readonly (readonly [string, () => Decoder])[] = [
  ["LLaMA", () => smallLlama(device, integer(0, 1e6), { num_hidden_layers: 2 })],
  [
    "OLMo with a tied embedding",
    () =>
      initOlmo(
        device,
        {
          ...{ vocab_size: 53, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2 },
          ...{ num_attention_heads: 2, num_key_value_heads: 2, eos_token_id: 1, tie_word_embeddings: true },
        },
        integer(0, 1e6),
      ),
  ],
];

/** Gradients of the weights that are trained by name, summed over two passes as over micro-batches. */
async function gradientsOf(model: Decoder, base: Ops, { trained, checkpointed }: Choice) {
  using _ = device.scope("gradients");
  const examples = labelledBatch(device, texts);
  using tape = new Tape(base);
  const watched = [...model.weights].filter(([name]) => trained(name));
  tape.watch(watched.map(([, weight]) => weight));
  const into = new Map<Tensor, F32>();
  for (let pass = 0; pass < 2; pass++) {
    const wrapBlock: ForwardOptions["wrapBlock"] = (_layer, x, run) =>
      checkpointed ? tape.checkpoint(x, run) : run(x);
    const loss = device.scoped("forward", () =>
      model.losses(examples, examples.labels, { ops: tape.ops, wrapBlock, reduction: "mean" }),
    );
    tape.backward(loss, { into });
  }
  const read = watched.map(async ([name, weight]) => {
    const gradient = into.get(weight)!;
    expect([gradient.dtype, gradient.shape], name).toEqual(["f32", weight.shape]);
    return [name, await gradient.read()] as const;
  });
  return new Map(await Promise.all(read));
}

interface Choice {
  readonly trained: (name: string) => boolean;
  readonly checkpointed: boolean;
}

const choices: readonly (readonly [string, Choice])[] = [
  ["all weights", { trained: () => true, checkpointed: false }],
  ["all weights, checkpointed", { trained: () => true, checkpointed: true }],
  ["keys, norms and the embedding", { trained: (name) => /k_proj|norm|embed|mlp\.up/.test(name), checkpointed: false }],
];

test.each(
  families.flatMap(([family, make]) =>
    choices.flatMap(([label, choice]) =>
      (["bf16", "f16"] as const).map((dtype) => ({ family, label, dtype, make, choice })),
    ),
  ),
)(
  "gradients of $family in $dtype are f32, and those of its numbers in f32: $label",
  async ({ make, dtype, choice }) => {
    using made = make();
    using packed = made.copyIn(() => dtype);
    using wide = packed.copyInF32();
    for (const base of [ops, plain]) {
      const expected = await gradientsOf(wide, base, choice);
      const gradients = await gradientsOf(packed, base, choice);
      expect([...gradients.keys()]).toEqual([...expected.keys()]);
      for (const [name, gradient] of gradients) {
        const own = expected.get(name)!;
        // As far as kernels that read other dtypes sum in another order.
        const size = Math.hypot(...own) / Math.sqrt(own.length);
        expectClose(gradient, own, { label: name, atol: 1e-4 * size, rtol: 1e-3 });
      }
    }
  },
);

test("weights of several dtypes are trained together, each by its own gradient", async () => {
  using made = smallLlama(device, integer(0, 1e6), { num_hidden_layers: 2 });
  using rounded = made.copyIn(() => "bf16");
  using wide = rounded.copyInF32();
  const mixed = (name: string): FloatDType => (/q_proj|down_proj|embed/.test(name) ? "f32" : "bf16");
  using model = wide.copyIn(mixed);
  const choice = { trained: () => true, checkpointed: false };
  const [expected, gradients] = [await gradientsOf(wide, ops, choice), await gradientsOf(model, ops, choice)];
  for (const [name, gradient] of gradients)
    expectClose(gradient, expected.get(name)!, { label: name, atol: 1e-6, rtol: 1e-3 });
});
