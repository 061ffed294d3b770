import { batchOf, type Decoder } from "@lethe/decoder";
import { Captures, Hooks, siteNames, sites } from "@lethe/hooks";
import { type F32, type Ops, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { integer } from "@lethe/testing/random";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initModel } from "../src/index.ts";

const device = await testDevice();
const sizes = {
  vocab_size: 67,
  hidden_size: 32,
  intermediate_size: 44,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const families = {
  llama: {},
  "llama with biases": { attention_bias: true, mlp_bias: true },
  olmo: { clip_qkv: 0.1 },
  olmo2: {},
};
const tokens = (length: number) => Array.from({ length }, () => integer(0, 66));
const prompts = [tokens(9), tokens(4), tokens(7)];
/** Places of tokens in their sequences: few of 27 rows, in any order, and one twice. */
const places = [
  [2, 6],
  [0, 3],
  [1, 0],
  [0, 3],
  [2, -1],
] as const;

/** Operations that offer none fused, and note how many rows each linear layer computes. */
function watched(rows: number[]): Ops {
  return {
    ...ops,
    linear(x: F32, weight: never) {
      rows.push(x.size / x.shape.at(-1)!);
      return ops.linear(x, weight);
    },
  } as Ops;
}

describe.each(Object.entries(families))("some rows of %s", (name, more) => {
  let model: Decoder;
  beforeAll(() => {
    model = initModel(device, { model_type: name.split(" ")[0]!, ...sizes, ...more }, integer(0, 1e6));
    // The first pass makes the rotary tables, before a test counts bytes.
    using _scope = device.scope("warm up");
    model.forward(batchOf(device, prompts));
  });
  afterAll(() => model.dispose());

  /** What a pass gives for the rows, by computing them alone and by taking them from all. */
  async function bothWays(options: Parameters<Decoder["forward"]>[1] = {}) {
    using batch = batchOf(device, prompts);
    using _ = device.scope("test");
    const rows = places.map(([sequence, token]) => batch.row(sequence, token));
    const some = model.forward(batch, { ...options, rows: device.tensor(rows, [rows.length], "u32") });
    const all = model.forward(batch, options);
    const width = all.shape.at(-1)!;
    expect(some.shape).toEqual([rows.length, width]);
    const whole = await all.read();
    return {
      some: await some.read(),
      wanted: rows.flatMap((row) => [...whole.subarray(row * width, (row + 1) * width)]),
    };
  }

  test.each(["logits", "resid"] as const)("are those of a whole pass up to %s", async (upTo) => {
    for (const how of [ops, watched([])]) {
      const { some, wanted } = await bothWays({ upTo, ops: how });
      expectClose(some, wanted);
    }
  });

  test.each([
    ["nothing is hooked", new Hooks(), [5, 5, 5, 5]],
    ["an earlier block is hooked", new Hooks().scale("A", 2, { layers: [1] }), [5, 5, 5, 5]],
    ["z is hooked", new Hooks().scale("z", 2, { layers: [2] }), [5, 5, 5, 5]],
    ["W_V is hooked", new Hooks().scale("W_V", 2, { layers: [2] }), [5, 5, 5, 5]],
    ["A is hooked", new Hooks().scale("A", 2, { layers: [2] }), [27, 5, 5, 5]],
    ["m is hooked", new Hooks().scale("m", 2, { layers: [2] }), [27, 27, 27, 27]],
  ])("are all that the last block computes after its attention where %s", async (_, hooks, expected) => {
    const computed: number[] = [];
    using batch = batchOf(device, prompts);
    using rows = device.tensor([3, 5, 6, 20, 21], [5], "u32");
    using logits = model.forward(batch, { ops: watched(computed), rows, hooks });
    // The output projection, gate, up and down, and the unembedding.
    expect(computed.slice(-5)).toEqual([...expected, 5]);
    expect(logits.shape[0]).toBe(5);
  });

  test.each(siteNames.filter((site) => sites[site].inBlock))("see what all rows see at %s", async (site) => {
    if (!model.hookPoints().some((point) => point.site === site)) return;
    const layers = [model.config.num_hidden_layers - 1];
    using batch = batchOf(device, prompts);
    using rows = device.tensor([3, 5, 6, 20, 21], [5], "u32");
    const captured = async (options: { rows?: typeof rows }) => {
      using seen = new Captures();
      model.forward(batch, { ...options, hooks: new Hooks().capture(site, seen, { layers }) }).dispose();
      return seen.get(site, layers[0]!).read();
    };
    expect(await captured({ rows })).toEqual(await captured({}));
    const { some, wanted } = await bothWays({ hooks: new Hooks().scale(site, 0.5, { layers }) });
    expectClose(some, wanted);
  });
});

test("rows of a pass that stops before the last block's end are refused", () => {
  using model = initModel(device, { model_type: "llama", ...sizes }, 1);
  using batch = batchOf(device, prompts);
  using rows = device.tensor([0], [1], "u32");
  expect(() => model.forward(batch, { rows, upTo: 2 })).toThrow("rows are of what comes after the last block");
});
