import { parsePoint, type Site } from "@lethe/hooks";
import { mul, ops, sum } from "@lethe/tensor";
import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { afterAll, describe, expect, test } from "vitest";
import {
  attributionPatching,
  logitDifference,
  measure,
  patchingSweep,
  runWithCache,
  weightViews,
} from "../src/index.ts";
import { golden, modelOf, numbersOf } from "./golden.ts";

const device = await testDevice();
const { clean, corrupted, right, wrong } = golden;
const metric = logitDifference(right, wrong);
const tolerance = { atol: 2e-5, rtol: 1e-4 };

describe.each(["llama", "olmo"] as const)("TransformerLens computes the same with %s", (name) => {
  const expected = golden.models[name];
  const model = modelOf(device, name);
  afterAll(() => model.dispose());
  const run = (options = {}) => runWithCache(model, clean, options);

  test("logits and logit differences", async () => {
    const { logits, cache } = await run();
    expectClose((await logits.read()).slice(-expected.logits.length), expected.logits, tolerance);
    cache.dispose();
    expect(await measure(model, clean, metric)).toBeCloseTo(expected.clean, 4);
    expect(await measure(model, corrupted, metric)).toBeCloseTo(expected.corrupted, 4);
  });

  test("activations by its names, in a run that keeps all of them", async () => {
    const { cache } = await run({ points: () => true });
    for (const [alias, values] of Object.entries(expected.activations)) {
      const found = await cache.get(alias).read();
      // Eight digits of each number are written down.
      expectClose(found, numbersOf(values), { ...tolerance, label: `${parsePoint(alias)!.name}` });
    }
    expect(Object.keys(expected.activations)).toHaveLength(2 * 13 + 3);
    cache.dispose();
  });

  test("weights per head", async () => {
    const views = weightViews(model);
    for (const part of ["W_Q", "W_K", "W_V", "W_O"] as const)
      expectClose(await views[part](1).read(), numbersOf(expected.weights[part]), { label: part });
    const [W_E, W_U] = [await views.W_E().read(), await views.W_U().read()];
    const { hidden_size: d, vocab_size: vocabulary } = model.config;
    expectClose(W_E.slice(right * d, (right + 1) * d), numbersOf(expected.weights.W_E));
    expectClose(
      W_U.filter((_, i) => i % vocabulary === right),
      numbersOf(expected.weights.W_U),
    );
  });

  test("the residual stream, accumulated and decomposed", async () => {
    const { cache } = await run();
    const stacks = {
      accumulated: cache.accumulatedResid({ inclMid: true }),
      decomposed: cache.decomposeResid(),
      heads: cache.stackHeadResults({ inclRemainder: true }),
      beforeMlp: cache.decomposeResid({ layer: 1, mlpInput: true }),
    };
    for (const [kind, { components, labels }] of Object.entries(stacks)) {
      const { labels: names, components: values } = expected.residual[kind as keyof typeof stacks];
      expect(labels).toEqual(names);
      expectClose(await components.read(), numbersOf(values), { ...tolerance, label: kind });
    }
    cache.dispose();
  });

  test("direct logit attribution, with the final norm folded in", async () => {
    const { logits, cache } = await run();
    const decomposed = cache.logitAttrs(cache.decomposeResid(), right, { wrong });
    const of = {
      decomposed,
      accumulated: cache.logitAttrs(cache.accumulatedResid({ inclMid: true }), right),
      heads: cache.logitAttrs(cache.stackHeadResults({ positions: [-1] }), right, { wrong }),
    };
    for (const [kind, values] of Object.entries(of))
      expectClose(await values.read(), numbersOf(expected.attributed[kind as keyof typeof of]), {
        ...tolerance,
        label: kind,
      });
    // The components of the whole stream add up to the difference of the logits, at each position.
    const differences = metric.of(logits.reshape([clean.length, 1, logits.shape[2]!]), ops);
    expectClose(await sum(decomposed, { axis: 0 }).read(), await differences.read(), tolerance);
    cache.dispose();
  });

  test("the logit lens", async () => {
    const { cache } = await run();
    const logits = model.unembed(cache.accumulatedResid().components);
    const onehot = device.tensor(
      Array.from({ length: logits.shape.at(-1)! }, (_, token) => Number(token === right)),
      [logits.shape.at(-1)!],
    );
    expectClose(await sum(mul(logits, onehot), { axis: 3 }).read(), numbersOf(expected.lens), tolerance);
    cache.dispose();
  });

  const cases: [Site, "position" | "head"][] = [
    ["resid_pre", "position"],
    ["A", "position"],
    ["M", "position"],
    ["z", "head"],
    ["q", "head"],
    ["pattern", "head"],
  ];
  test.each(cases)("patching of %s by %s", async (site, by) => {
    const found = await patchingSweep(model, { clean, corrupted, metric, site, by });
    const wanted = numbersOf(expected.patched[site as "z"]).map((value) => value - expected.corrupted);
    expectClose(found.effects.flat(), wanted, tolerance);
    expect(found.clean).toBeCloseTo(expected.clean, 4);
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.005);
  });

  test.each(cases.filter(([site]) => site in expected.attribution))(
    "attribution patching of %s by %s",
    async (site, by) => {
      const found = await attributionPatching(model, { clean, corrupted, metric, site, by });
      const wanted = numbersOf(expected.attribution[site as "z"]);
      expectClose(found.effects.flat(), wanted, tolerance);
      expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.005);
    },
  );
});
