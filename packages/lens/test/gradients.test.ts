import { batchOf } from "@lethe/decoder";
import { Hooks, type Site } from "@lethe/hooks";
import { type F32, ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { afterAll, describe, expect, test } from "vitest";
import { activationGradients, attributionPatching, logProbability, measure, patchingSweep } from "../src/index.ts";
import { livelyLlama } from "./lively-llama.ts";

const device = await testDevice();
const model = livelyLlama(device, 3, 2);
afterAll(() => model.dispose());

const tokens = [5, 17, 41, 8, 30];
const metric = logProbability(12);

/** The metric when `by` times a direction is added to an activation. */
async function moved(site: Site, layer: number, direction: F32, by: number): Promise<number> {
  using value = device.scoped("moved", () => {
    const hooks = new Hooks().edit(site, (x) => ops.add(x, ops.affine(direction, { factor: by }) as F32), {
      layers: [layer],
    });
    const logits = model.forward(batchOf(device, [tokens]), { hooks, rows: device.tensor([4], [1], "u32") });
    return metric.of(ops.reshape(logits, { shape: [1, 1, logits.shape[1]!] }), ops);
  });
  return await value.item();
}

describe("gradients of activations are the slopes of the metric", () => {
  const places: [Site, number][] = [
    ["resid_pre", 0],
    ["ln1_scale", 1],
    ["ln1", 0],
    ["q", 0],
    ["rot_q", 1],
    ["rot_k", 0],
    ["v", 1],
    ["pattern", 1],
    ["z", 0],
    ["result", 1],
    ["A", 0],
    ["gate", 1],
    ["ln2_scale", 0],
    ["m", 0],
    ["resid_post", 1],
  ];
  test.each(places)("%s of layer %i", async (site, layer) => {
    using found = await activationGradients(model, tokens, { metric, points: site, layers: [layer] });
    expect(found.value).toBeCloseTo(await measure(model, tokens, metric), 4);
    const gradient = found.gradients.get(site, layer) as F32;
    // Along the gradient itself a slope is its length: the largest there is, against the rounding of f32.
    const values = await gradient.read();
    const length = Math.hypot(...values);
    expect(length).toBeGreaterThan(1e-3);
    const direction = ops.affine(gradient, { factor: 1 / length });
    const step = 0.01;
    const slope = (await moved(site, layer, direction, step)) - (await moved(site, layer, direction, -step));
    expectClose([slope / (2 * step)], [length], { atol: 1e-3, rtol: 1e-2 });
  });

  test("attn_scores, of what a query sees", async () => {
    using found = await activationGradients(model, tokens, { metric, points: "attn_scores.1" });
    const values = await (found.gradients.get("attn_scores", 1) as F32).read();
    const pattern = await activationGradients(model, tokens, { metric, points: "pattern.1" });
    // d/dscores = P ⊙ (g − rowsum(g ⊙ P)).
    const p = await pattern.activations.get("pattern", 1).read();
    const g = await pattern.gradients.get("pattern", 1).read();
    pattern[Symbol.dispose]();
    const n = tokens.length;
    const expected = p.map((weight, i) => {
      const first = i - (i % n);
      let mean = 0;
      for (let s = 0; s < n; s++) mean += g[first + s]! * p[first + s]!;
      return weight * (g[i]! - mean);
    });
    expectClose(values, expected);
  });
});

test("one pass back gives the gradients at all points that were asked for", async () => {
  using all = await activationGradients(model, tokens, { metric, points: /^(z|M)\.\d$/ });
  expect(
    all.gradients
      .points()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["M.0", "M.1", "z.0", "z.1"]);
  using one = await activationGradients(model, tokens, { metric, points: "M.0" });
  expectClose(await all.gradients.get("M.0").read(), await one.gradients.get("M.0").read());
  expect(all.activations.get("z.1").shape).toEqual(all.gradients.get("z.1").shape);
  await expect(activationGradients(model, tokens, { metric, points: "W_V" })).rejects.toThrow(
    "W_V names parameters, and no activation",
  );
});

test("where the two prompts are nearly alike, the estimate is the effect of the patch", async () => {
  // Two tokens with nearly the same embedding.
  const table = model.weights.get("model.embed_tokens.weight") as F32;
  const [before, width] = [await table.read(), model.config.hidden_size];
  const row = before.slice(8 * width, 9 * width).map((value, i) => value + 1e-2 * Math.sin(i));
  device.writeBytes(table, 4 * 40 * width, new Uint8Array(row.buffer));
  const options = { clean: tokens, corrupted: tokens.with(3, 40), metric, site: "resid_pre" } as const;
  const [exact, estimate] = [await patchingSweep(model, options), await attributionPatching(model, options)];
  device.writeBytes(table, 0, new Uint8Array(before.buffer));
  expect(Math.abs(exact.clean - exact.corrupted)).toBeGreaterThan(1e-4);
  expectClose(estimate.recovered.flat(), exact.recovered.flat(), { atol: 0.05 });
  expect(estimate.recovered[0]![3]).toBeGreaterThan(0.9);
});
