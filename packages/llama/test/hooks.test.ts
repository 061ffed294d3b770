import { batchOf } from "@lethe/decoder";
import { Captures, HookError, Hooks, type Site, siteNames, sites } from "@lethe/hooks";
import { type F32, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { golden, goldenModel } from "@lethe/testing/golden";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initLlama, type Llama, llama } from "../src/index.ts";

const device = await testDevice();
const { prompts } = await golden("gqa-tied-f32");
const tolerance = { atol: 1e-4, rtol: 1e-4 };
let model: Llama;
/** Another model of the same shape. */
let other: Llama;
beforeAll(async () => {
  model = await goldenModel(device, "gqa-tied-f32");
  other = initLlama(device, { ...model.config }, 7);
  using _scope = device.scope("warm up");
  other.forward(batchOf(device, [[1]]));
});
afterAll(() => {
  model.dispose();
  other.dispose();
});

function logitsWith(hooks?: Hooks, of = model): Promise<Float32Array> {
  return of.forward(batchOf(device, prompts), hooks ? { hooks } : {}).read();
}

describe("hooks that change nothing", () => {
  const untouched = siteNames.filter((site) => !sites[site].onRequest && !sites[site].postNorm);

  test.each(untouched)("an edit of %s that returns its input changes no bit of the logits", async (site) => {
    expect(await logitsWith(new Hooks().edit(site, (x) => x))).toEqual(await logitsWith());
  });

  test("capturing every point but those on request changes no bit, and each has its documented shape", async () => {
    using seen = new Captures();
    const logits = await logitsWith(new Hooks().capture(({ site }) => untouched.includes(site), seen));
    expect(logits).toEqual(await logitsWith());
    const [T, d, H, G, D, n, V] = [9, 32, 4, 2, 12, 44, 67];
    const dims: Record<string, number> = { B: 3, T, S: T, d, H, G, D, n, V };
    for (const { site, name } of seen.points()) {
      const letters = /^\[([^\]]*)\]/.exec(sites[site].holds)![1]!.split(", ");
      expect(seen.get(name).shape, name).toEqual(letters.map((letter) => dims[letter]));
    }
    expect(seen.points()).toHaveLength(model.hookPoints().filter(({ site }) => !sites[site].onRequest).length);
  });

  test.each(["ln1", "ln2", "ln_final", "pattern"] as const)(
    "%s, computed on request, agrees with its fused kernel",
    async (site) => {
      using seen = new Captures();
      expectClose(await logitsWith(new Hooks().capture(site, seen)), await logitsWith(), tolerance);
      const [point] = seen.points();
      const tensor = seen.get(point!.name);
      const values = await tensor.read();
      const width = tensor.shape.at(-1)!;
      // Rows of the unpadded prompt: of mean square 1, or of sum 1.
      for (let row = 0; row < 9; row++) {
        const part = [...values.slice(row * width, (row + 1) * width)];
        const total = part.reduce((sum, x) => sum + (site === "pattern" ? x : x ** 2 / width), 0);
        expect(total).toBeCloseTo(1, 4);
      }
    },
  );
});

describe("sites that a fused kernel does not store", () => {
  const parted = ["ln1_scale", "ln2_scale", "ln_final_scale", "attn_scores", "result"] as const;

  test.each(parted)("%s, computed by itself, gives the same logits", async (site) => {
    using seen = new Captures();
    expectClose(await logitsWith(new Hooks().capture(site, seen)), await logitsWith(), tolerance);
  });

  test("scores give their pattern, and none to a padded query", async () => {
    using both = new Captures();
    using fused = new Captures();
    await logitsWith(new Hooks().capture(/attn_scores|pattern/, both));
    await logitsWith(new Hooks().capture("pattern", fused));
    for (const layer of [0, 1, 2])
      expectClose(await both.get("pattern", layer).read(), await fused.get("pattern", layer).read(), tolerance);
    const [scores, pattern] = [both.get("attn_scores", 0), both.get("pattern", 0)];
    const values = { scores: await scores.read(), pattern: await pattern.read() };
    for (let i = 0; i < scores.size; i++) expect(values.scores[i] === -Infinity, `${i}`).toBe(values.pattern[i] === 0);
    // Sequence 2 has 7 columns of padding. A head without any key gives zeros, and not NaN.
    const padded = values.scores.slice((2 * 4 * 9 + 0) * 9, (2 * 4 * 9 + 7) * 9);
    expect([...padded].every((score) => score === -Infinity)).toBe(true);
    const blind = new Hooks().edit("attn_scores", (x) => ops.affine(ops.sub(x, x), { offset: -Infinity }) as F32, {
      heads: [1],
    });
    expect(() => logitsWith(blind)).toThrow("offset");
    const hidden = device.tensor([-Infinity], []);
    const heads = { layers: [1], heads: [1] };
    using z = new Captures();
    await logitsWith(new Hooks().add("attn_scores", hidden as F32, heads).capture("z", z, heads));
    expect((await z.get("z", 1).read()).every((value) => value === 0)).toBe(true);
  });

  test("the results of all heads add up to A", async () => {
    using seen = new Captures();
    await logitsWith(new Hooks().capture("result", seen).capture("A", seen));
    for (const layer of [0, 1, 2]) {
      const total = ops.sum(seen.get("result", layer) as F32, { axis: 2 });
      expectClose(await total.read(), await seen.get("A", layer).read(), tolerance);
    }
  });

  test("a head's result of 0 is its z of 0, and q before its rotation is q after it, turned", async () => {
    const heads = { layers: [1], heads: [2] };
    const without = await logitsWith(new Hooks().scale("z", 0, heads));
    expectClose(await logitsWith(new Hooks().scale("result", 0, heads)), without, tolerance);
    expect(await logitsWith(new Hooks().scale("rot_q", 2))).not.toEqual(await logitsWith());
    expectClose(
      await logitsWith(new Hooks().scale("rot_q", 2)),
      await logitsWith(new Hooks().scale("q", 2)),
      tolerance,
    );
    expectClose(
      await logitsWith(new Hooks().scale("rot_k", 2)),
      await logitsWith(new Hooks().scale("attn_scores", 2).edit("attn_scores", (x) => x)),
      tolerance,
    );
  });

  test("scores are the same through a cache", async () => {
    const hooks = new Hooks().edit("attn_scores", (x) => ops.affine(x, { factor: 1 })).edit("result", (x) => x);
    const options = { maxNewTokens: 4, stop: [] };
    const [plain] = await model.generate([prompts[0]!], options);
    const [hooked] = await model.generate([prompts[0]!], { ...options, hooks });
    expect(hooked!.tokens).toEqual(plain!.tokens);
  });
});

describe("interventions", () => {
  const zero: Hooks[] = [
    new Hooks().scale("m", 0, { layers: [1] }),
    new Hooks().edit("blocks.1.mlp.hook_post", (x) => ops.sub(x, x)),
    new Hooks().scale("W_V", 0, { layers: [1] }),
    new Hooks().scale("M.1", 0),
  ];
  test("an MLP without coefficients, without value vectors and without output are the same", async () => {
    const [first, ...rest] = await Promise.all(zero.map((hooks) => logitsWith(hooks)));
    expect(first).not.toEqual(await logitsWith());
    for (const logits of rest) expect(logits).toEqual(first);
  });

  test("add changes the point by the given value", async () => {
    const vector = device.tensor(
      Array.from({ length: 32 }, (_, i) => i / 32),
      [32],
    );
    using plain = new Captures();
    using steered = new Captures();
    await logitsWith(new Hooks().capture("resid_post", plain, { layers: [0] }));
    const add = new Hooks().add("resid_post", vector, { layers: [0] }).add("resid_post", 1, { layers: [0] });
    await logitsWith(add.capture("resid_post", steered, { layers: [0] }));
    const difference = ops.sub(steered.get("resid_post", 0), plain.get("resid_post", 0));
    const expected = Array.from({ length: 27 * 32 }, (_, i) => 1 + (i % 32) / 32);
    expectClose(await difference.read(), expected, tolerance);
  });

  test("a replacement at some positions leaves every bit elsewhere", async () => {
    using before = new Captures();
    using after = new Captures();
    await logitsWith(new Hooks().capture("m", before, { layers: [1] }));
    const value = device.tensor(new Float32Array(3 * 2 * 44).fill(5), [3, 2, 44]);
    const hooks = new Hooks().replace("m", value, { layers: [1], positions: [-1, 4] });
    await logitsWith(hooks.capture("m", after, { layers: [1] }).capture("A", after, { layers: [1], positions: [0] }));
    const [was, is] = [await before.get("m", 1).read(), await after.get("m", 1).read()];
    for (let i = 0; i < was.length; i++) {
      const column = Math.floor(i / 44) % 9;
      expect(is[i]).toBe(column === 8 || column === 4 ? 5 : was[i]);
    }
    expect(after.get("A", 1).shape).toEqual([3, 1, 32]);
  });

  test("a capture gives the positions that it holds, and only those", async () => {
    using all = new Captures("all positions");
    using some = new Captures("some positions");
    await logitsWith(new Hooks().capture("m", all).capture("m", some, { positions: [-1, 4] }), other);
    const restored = async (source: Captures, positions: number[]) => {
      using seen = new Captures();
      const hooks = new Hooks().restore("m", [1], source, { positions }).capture("m", seen, { layers: [1], positions });
      await logitsWith(hooks);
      return seen.get("m", 1).read();
    };
    const values = await all.get("m", 1).read();
    const at = (...columns: number[]) =>
      [0, 1, 2].flatMap((b) => columns.flatMap((c) => [...values.slice((b * 9 + c) * 44, (b * 9 + c + 1) * 44)]));
    expect([...(await restored(all, [3, -2]))]).toEqual(at(3, 7));
    expect([...(await restored(some, [4, 8]))]).toEqual(at(4, 8));
    expect([...(await restored(some, [8]))]).toEqual(at(8));
    await expect(restored(some, [3])).rejects.toThrow(
      "restore m: m.1 was asked for at position 3, and some positions holds it at positions 8, 4; capture every position",
    );
    expect(() => logitsWith(new Hooks().restore("m", [1], some))).toThrow("asked for at position 0");
  });

  test("a capture fits only sequences that begin in the same columns, and holds no padding's values", async () => {
    using seen = new Captures("the capture");
    const run = (sequences: number[][], hooks: Hooks, pad: "left" | "right" = "left") =>
      model.forward(batchOf(device, sequences, { pad }), { hooks });
    const restore = (positions?: number[]) => new Hooks().restore("A", [0], seen, positions && { positions });
    run([[1, 2, 3], [4]], new Hooks().capture("A", seen));
    run([[5, 6, 7], [8]], restore());
    expect(() =>
      run(
        [
          [5, 6, 7],
          [8, 9],
        ],
        restore(),
      ),
    ).toThrow(
      "restore A: A.0: sequence 1 begins at position 1 in this run and at position 2 in the capture; pad both runs alike",
    );
    expect(() => run([[5, 6, 7]], restore())).toThrow("A.0 has 1 sequences in this run and 2 in the capture");
    run([[1, 2, 3], [4]], new Hooks().capture("A", seen), "right");
    expect(() =>
      run(
        [
          [1, 2, 3],
          [4, 5],
        ],
        restore(),
        "right",
      ),
    ).toThrow("position 1 is a token of sequence 1 in this run and padding in the capture");
    // A longer text begins like the captured one.
    run([[1, 2, 3, 4], [4]], restore([0]), "right");
    expect(() => run([[1, 2, 3, 4], [4]], restore(), "right")).toThrow(
      "asked for at position 3, and the capture holds it at positions 0 to 2",
    );
  });

  test("a capture of one column does not fit a later column of a generation", async () => {
    using seen = new Captures("one column");
    model.forward(batchOf(device, [[5]]), { hooks: new Hooks().capture("m", seen) });
    const options = { maxNewTokens: 3, stop: [], hooks: new Hooks().restore("m", [0], seen) };
    await expect(model.generate([[5]], options)).rejects.toThrow(
      "restore m: m.0 was asked for at position 1, and one column holds it at position 0 alone",
    );
  });

  test("an edit at some positions gets only those", async () => {
    const shapes: (readonly number[])[] = [];
    const edit = (x: F32) => {
      shapes.push(x.shape);
      return ops.affine(x, { factor: 2 });
    };
    await logitsWith(new Hooks().edit("q", edit, { layers: [0], positions: [1, 2, 3] }));
    expect(shapes).toEqual([[3, 3, 4, 12]]);
  });

  test("an attention pattern of zeros is the same as A = 0", async () => {
    const without = await logitsWith(new Hooks().scale("A", 0, { layers: [2] }));
    expectClose(await logitsWith(new Hooks().scale("pattern", 0, { layers: [2] })), without, tolerance);
  });
});

describe("restoration", () => {
  const sitesRestored: Site[] = [
    "embed",
    "resid_pre",
    "q",
    "k",
    "v",
    "z",
    "A",
    "resid_mid",
    "m",
    "M",
    "resid_post",
    "logits",
  ];

  test.each(sitesRestored)("%s of the same run, put back, changes no bit", async (site) => {
    using seen = new Captures();
    const logits = await logitsWith(new Hooks().capture(site, seen));
    const hooks = sites[site].inBlock
      ? new Hooks().restore(site, [0, 1, 2], seen)
      : new Hooks().replace(site, seen.get(site));
    expect(await logitsWith(hooks)).toEqual(logits);
  });

  test("M and A of another model in every layer, on its embeddings, are its residual stream", async () => {
    using theirs = new Captures();
    await logitsWith(new Hooks().capture("M", theirs).capture("A", theirs).capture("embed", theirs), other);
    using ours = new Captures();
    const hooks = new Hooks().restore("M", [0, 1, 2], theirs).restore("A", [0, 1, 2], theirs);
    await logitsWith(hooks.replace("embed", theirs.get("embed")).capture("resid_post", ours, { layers: [2] }));
    using expected = new Captures();
    await logitsWith(new Hooks().capture("resid_post", expected, { layers: [2] }), other);
    expect(await ours.get("resid_post", 2).read()).toEqual(await expected.get("resid_post", 2).read());
  });

  test("W_V is restored from the other model itself, by the same call", async () => {
    const exchanged = await logitsWith(new Hooks().restore("W_V", [1], other));
    const name = "model.layers.1.mlp.down_proj.weight";
    const weights = new Map([...model.weights].map(([key, weight]) => [key, weight.retain()]));
    weights.get(name)!.dispose();
    weights.set(name, other.weights.get(name)!.retain());
    using mixed = llama.create({ device, config: model.config, weights });
    expect(exchanged).toEqual(await logitsWith(undefined, mixed));
    expect(exchanged).not.toEqual(await logitsWith());
  });

  test("a captured parameter is a copy, and restoring it is the same as restoring from the model", async () => {
    using seen = new Captures();
    await logitsWith(new Hooks().capture("W_V", seen), other);
    expect(await logitsWith(new Hooks().restore("W_V", [0, 2], seen))).toEqual(
      await logitsWith(new Hooks().restore("W_V", [0, 2], other)),
    );
    expect(seen.get("W_V", 0).storage).not.toBe(other.tensorAt("W_V", 0)!.storage);
  });

  test("with all else frozen to its own values, a restored m changes its own layer's M alone", async () => {
    using theirs = new Captures();
    await logitsWith(new Hooks().capture("m", theirs), other);
    using own = new Captures();
    await logitsWith(new Hooks().capture("m", own).capture("A", own).capture("M", own));
    using seen = new Captures();
    const hooks = new Hooks().restore("m", [0], theirs).freeze("A", [0, 1, 2], own).freeze("m", [1, 2], own);
    await logitsWith(hooks.capture("M", seen));
    expect(await seen.get("M", 0).read()).not.toEqual(await own.get("M", 0).read());
    for (const layer of [1, 2]) expect(await seen.get("M", layer).read()).toEqual(await own.get("M", layer).read());
  });

  test("a replaced activation is not computed, unless a hook needs a part of it", async () => {
    using seen = new Captures();
    await logitsWith(new Hooks().capture("m", seen).capture("A", seen));
    const count = async (hooks: Hooks) => {
      const before = device.dispatches;
      await logitsWith(hooks);
      return device.dispatches - before;
    };
    const restored = new Hooks().restore("m", [1], seen).restore("A", [1], seen);
    expect(await count(restored)).toBeLessThan((await count(new Hooks())) - 8);
    const edited = (hooks: Hooks, ...sites: readonly Site[]) =>
      count(sites.reduce((all, site) => all.edit(site, (x) => x, { layers: [1] }), hooks));
    // An edit of A alone keeps its sum from being fused, as the restoration does.
    expect(await edited(restored, "gate", "z")).toBe(await edited(new Hooks(), "gate", "z", "A"));
  });
});

describe("errors that say what to do", () => {
  const fails = (hooks: Hooks) => {
    try {
      model.forward(batchOf(device, prompts), { hooks });
    } catch (error) {
      expect(error).toBeInstanceOf(HookError);
      return (error as Error).message;
    }
    return expect.fail("no error");
  };
  const same = (x: F32) => x;

  test("no such point", () => {
    expect(fails(new Hooks().edit("resid_past", same))).toMatchInlineSnapshot(
      `"there is no hook point "resid_past"; did you mean "resid_post" or "resid_pre"?"`,
    );
    expect(fails(new Hooks().edit("blocks.1.mlp.hook_pots", same))).toMatchInlineSnapshot(
      `"there is no hook point "blocks.1.mlp.hook_pots"; did you mean "blocks.1.mlp.hook_post" or "blocks.0.mlp.hook_post" or "blocks.1.mlp.hook_pre"?"`,
    );
    expect(fails(new Hooks().edit("blocks.7.mlp.hook_post", same))).toMatchInlineSnapshot(
      `"blocks.7.mlp.hook_post: this run has layers 0 to 2 of m"`,
    );
    expect(fails(new Hooks().edit("m", same, { layers: [1, 3] }))).toMatchInlineSnapshot(
      `"m: layer 3 was asked for, and this run has layers 0 to 2"`,
    );
    expect(fails(new Hooks().edit("embed", same, { layers: [0] }))).toMatchInlineSnapshot(
      `"embed is outside the blocks and has no layer; layer 0 was asked for"`,
    );
    expect(fails(new Hooks().edit(() => false, same))).toMatchInlineSnapshot(
      `"the hook's test accepts none of this run's 70 hook points"`,
    );
  });

  test("a source without the layer", () => {
    using nothing = new Captures("vanilla run");
    expect(fails(new Hooks().restore("A", [1], nothing))).toMatchInlineSnapshot(`"restore A: vanilla run has no A.1"`);
    expect(fails(new Hooks().restore("m", [1], other))).toMatchInlineSnapshot(`"restore m: llama has no m.1"`);
  });

  test("values of another shape", () => {
    const value = device.tensor(new Float32Array(44), [1, 1, 44]);
    expect(fails(new Hooks().replace("m", value, { layers: [1] }))).toMatchInlineSnapshot(
      `"replace m: m.1 is [3,9,44] in this run and its replacement is [1,1,44]"`,
    );
    expect(fails(new Hooks().edit("m.1", (x) => ops.sum(x, { axis: 0 })))).toMatchInlineSnapshot(
      `"edit m.1: m.1 is [3,9,44] in this run and its replacement is [9,44]"`,
    );
  });

  test("an edit that gives no tensor, and arguments of another kind", () => {
    const edit = (made: unknown) => fails(new Hooks().edit("m.1", () => made as F32));
    expect(edit(undefined)).toMatchInlineSnapshot(
      `"edit m.1: at m.1 the edit returned nothing; expected an f32 tensor [3,9,44], at once and not later"`,
    );
    expect(edit(Promise.resolve(1))).toContain("the edit returned a promise; expected an f32 tensor [3,9,44]");
    expect(edit(3)).toContain("a value of type number");
    expect(edit(null)).toContain("a value of type null");
    expect(edit(device.tensor([1], [1], "u32"))).toContain("a tensor of u32");
    // biome-ignore lint/suspicious/noExplicitAny: these are mistakes that TypeScript refuses.
    const hooks = new Hooks() as any;
    for (const make of [
      () => hooks.edit("m"),
      () => hooks.edit(undefined, same),
      () => hooks.edit("m", same, { positions: 3 }),
      () => hooks.edit("m", same, { layers: 1 }),
      () => hooks.capture("m"),
      () => hooks.replace("m", 1),
      () => hooks.restore("m", [1]),
    ])
      expect(make).toThrow(HookError);
    expect(fails(hooks.edit(async () => true, same))).toContain("the hook's test of points returned [object Promise]");
  });

  test("two replacements of one point", () => {
    const value = device.tensor(new Float32Array(44), [1, 1, 44]);
    expect(fails(new Hooks().replace("m.1", value).replace("m", value))).toMatchInlineSnapshot(
      `"m.1 is replaced twice: by "replace m.1" and by "replace m""`,
    );
  });

  test("positions outside the batch", () => {
    expect(fails(new Hooks().edit("m", same, { positions: [9] }))).toMatchInlineSnapshot(
      `"edit m: position 9 is outside this run's 9 positions"`,
    );
    expect(fails(new Hooks().edit("W_V", same, { positions: [0] }))).toMatchInlineSnapshot(
      `"edit W_V: W_V.0 has no positions to choose from; leave out \`positions\`"`,
    );
  });

  test("a KV cache in a run that records gradients", () => {
    const batch = batchOf(device, prompts);
    using cache = model.newCache(3, 9);
    expect(() => model.forward(batch, { cache, ops: { ...ops, records: true } })).toThrow(
      "`ops` records gradients, and writes into a KV cache have none",
    );
  });

  test("a run without the hook's point", () => {
    const batch = batchOf(device, prompts);
    const hooks = new Hooks().edit("logits", same);
    expect(() => model.forward(batch, { hooks, upTo: "resid" })).toThrow(HookError);
    const wrapBlock = (_layer: number, x: F32) => x;
    const wrong = () => undefined as unknown as F32;
    expect(() => model.forward(batch, { wrapBlock: wrong })).toThrow(
      "wrapBlock returned undefined for block 0; expected what `run(x)` returns, [3,9,32]",
    );
    expect(() =>
      model.forward(batch, { hooks: new Hooks().edit("m", same), wrapBlock }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[HookError: these hooks never fired, because the run did not reach their points: edit m (m.0), edit m (m.1), edit m (m.2)]`,
    );
  });
});
