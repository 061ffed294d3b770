import { batchOf } from "@lethe/decoder";
import { Captures, Hooks, type Site } from "@lethe/hooks";
import { ops } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { afterAll, describe, expect, test } from "vitest";
import { logitDifference, logProbability, type Metric, measure, patchingSweep } from "../src/index.ts";
import { livelyLlama } from "./lively-llama.ts";

const device = await testDevice();
const model = livelyLlama(device, 8, 4);
afterAll(() => model.dispose());
const clean = [3, 9, 27, 40, 12];
const corrupted = [3, 9, 31, 40, 6];
const metric = logitDifference([7, 8], 20);

/** The metric of the corrupted prompt with one activation of the clean one, by a hook in a whole run. */
async function patchedBy(site: Site, where: { layers: number[]; positions?: number[]; heads?: number[] }) {
  using seen = new Captures();
  using value = device.scoped("patched", () => {
    model.forward(batchOf(device, [clean]), { hooks: new Hooks().capture(site, seen) });
    const { layers, ...part } = where;
    const logits = model.forward(batchOf(device, [corrupted]), {
      hooks: new Hooks().restore(site, layers, seen, part),
    });
    return metric.of(ops.slice(logits, { axis: 1, start: 4, end: 5 }), ops);
  });
  return await value.item();
}

describe("a sweep", () => {
  const sites: Site[] = ["resid_mid", "m", "k", "attn_scores", "ln1_scale"];
  test.each(sites)("by position at %s is a run for each patch, however many go together", async (site) => {
    const sweep = { clean, corrupted, metric, site, layers: [3, 1], positions: [2, -1] };
    const found = await patchingSweep(model, sweep);
    expect([found.layers, found.columns]).toEqual([
      [3, 1],
      [2, 4],
    ]);
    const alone = [await measure(model, clean, metric), await measure(model, corrupted, metric)];
    expectClose([found.clean, found.corrupted], alone);
    expect(Math.max(...found.effects.flat().map(Math.abs))).toBeGreaterThan(0.01);
    for (const [l, layer] of [3, 1].entries())
      for (const [p, position] of [2, 4].entries()) {
        const value = await patchedBy(site, { layers: [layer], positions: [position] });
        expectClose([found.effects[l]![p]!], [value - found.corrupted], { atol: 1e-5 });
        expect(found.recovered[l]![p]).toBe(found.effects[l]![p]! / (found.clean - found.corrupted));
      }
    const one = await patchingSweep(model, { ...sweep, together: 1 });
    expectClose(one.effects.flat(), found.effects.flat(), { atol: 1e-5 });
  });

  test("by head takes query heads or key heads, at some positions, and by position at some heads", async () => {
    const heads = await patchingSweep(model, { clean, corrupted, metric, by: "head", layers: [2], positions: [4] });
    expect([heads.site, heads.columns]).toEqual(["z", [0, 1, 2, 3]]);
    const z = await patchedBy("z", { layers: [2], positions: [4], heads: [3] });
    expectClose([heads.effects[0]![3]!], [z - heads.corrupted], { atol: 1e-5 });
    const keys = await patchingSweep(model, { clean, corrupted, metric, site: "v", by: "head" });
    expect(keys.columns).toEqual([0, 1]);
    const position = await patchingSweep(model, {
      clean,
      corrupted,
      metric,
      site: "z",
      heads: [3],
      layers: [2],
      positions: [4],
    });
    expectClose(position.effects.flat(), [heads.effects[0]![3]!], { atol: 1e-5 });
  });

  test("of the stream that enters the first layer recovers all at the tokens that differ, and nothing elsewhere", async () => {
    const { recovered } = await patchingSweep(model, { clean, corrupted: clean.with(2, 31), metric });
    expectClose(recovered[0]!, [0, 0, 1, 0, 0], { atol: 1e-4 });
    expect(recovered).toHaveLength(4);
  });

  test("says how far it is, and stops at a signal", async () => {
    const shares: number[] = [];
    await patchingSweep(model, {
      clean,
      corrupted,
      metric,
      layers: [0, 1],
      together: 5,
      progress: (share) => shares.push(share),
    });
    expect(shares).toEqual([0, 0.5]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(patchingSweep(model, { clean, corrupted, metric, signal })).rejects.toThrow("enough");
  });

  test("refuses what cannot be patched, with the reason", async () => {
    const refused = (options: object) => patchingSweep(model, { clean, corrupted, metric, ...options });
    await expect(refused({ corrupted: [1, 2] })).rejects.toThrow("has 5 tokens and the corrupted one 2");
    await expect(refused({ site: "W_V" })).rejects.toThrow("W_V is no activation in the blocks of llama");
    await expect(refused({ site: "logits" })).rejects.toThrow("logits is no activation");
    await expect(refused({ site: "A_before_norm" })).rejects.toThrow("A_before_norm is no activation");
    await expect(refused({ site: "m", by: "head" })).rejects.toThrow("m has no heads");
    await expect(refused({ layers: [4] })).rejects.toThrow("layers is [4]; expected different ones from 0 to 3");
    await expect(refused({ positions: [5] })).rejects.toThrow("positions is [5]");
    await expect(refused({ site: "v", by: "head", heads: [2] })).rejects.toThrow(
      "heads is [2]; expected different ones from 0 to 1",
    );
    await expect(refused({ metric: logitDifference(60, 1) })).rejects.toThrow("token 60 of a metric is outside");
    await expect(refused({ metric: logProbability(1, { position: 5 }) })).rejects.toThrow(
      "reads positions [5] of a prompt of 5",
    );
    const whole: Metric = { positions: [-1], of: (logits) => logits };
    await expect(refused({ metric: whole })).rejects.toThrow("the metric gave [1,1,53] for 1 sequences");
  });
});

test("metrics are means over tokens of logits, or of log-probabilities", async () => {
  const [logits] = [await model.forward(batchOf(device, [clean])).read()];
  const row = (position: number) => [...logits.slice(position * 53, (position + 1) * 53)];
  const last = row(4);
  expect(await measure(model, clean, metric)).toBeCloseTo((last[7]! + last[8]!) / 2 - last[20]!, 5);
  const third = row(2);
  const logSum = Math.log(third.reduce((total, logit) => total + Math.exp(logit), 0));
  expect(await measure(model, clean, logProbability(9, { position: 2 }))).toBeCloseTo(third[9]! - logSum, 5);
});
