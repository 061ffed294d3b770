import { describe, expect, test } from "vitest";
import { allCases } from "./cases/index.ts";
import type { Entry } from "./peers/race.ts";
import { taskPlans } from "./peers/tasks.ts";
import { describeVerdict, judgeAgainst, judgeCase, judgeExperiment, judgePeers } from "./targets.ts";

const just = (median: number) => ({ median, low: median, high: median });
const titles = allCases.map(({ name, shape }) => `${name} ${shape}`);

describe("cases whose time is that of their memory", () => {
  const row = { name: "fill", shape: "512×1024", gflops: null, shareOfPeak: just(0.4) };

  test("keep their target at 40 % of the copy kernel", () => {
    expect(judgeCase(row)).toMatchObject([{ passed: true, figure: "of copy" }]);
    expect(judgeCase({ ...row, shareOfPeak: just(0.39) })).toMatchObject([{ passed: false }]);
  });

  test("have one where the issue names them, and no others", () => {
    const judged = allCases
      .filter(({ name, shape, flops }) => judgeCase({ ...row, name, shape, gflops: flops ?? null }).length > 0)
      .map(({ name }) => name);
    const named = ["scatter_rows", "fill", "permute", "embedding", "top_k", "mul by a row", "cast to bf16"];
    const overVocabularies = ["softmax", "cross_entropy", "kl_divergence"];
    expect([...new Set(judged)].sort()).toEqual([...named, ...overVocabularies].sort());
  });
});

test.each([
  ["pass decode tiny-llama, B1, 32 tokens", 2.5],
  ["pass training step tiny-llama, B8 T40", 2],
])("%s has a target beside the baseline", (name, times) => {
  expect(titles).toContain(name);
  expect(judgeAgainst(name, just(times))).toMatchObject([{ passed: true }]);
  expect(judgeAgainst(name, just(times - 0.01))).toMatchObject([{ passed: false }]);
});

test("other passes have none", () => {
  expect(judgeAgainst("pass sweep tiny-llama, B10 T48", just(0.5))).toEqual([]);
});

test("the default experiment has a target on SwiftShader alone", () => {
  const times = { preset: "default", seconds: [6], secondsBefore: [10], share: just(0.6) };
  expect(judgeExperiment("google · swiftshader", times)).toMatchObject([{ passed: true }]);
  expect(judgeExperiment("google · swiftshader", { ...times, share: just(0.61) })).toMatchObject([{ passed: false }]);
  expect(judgeExperiment("mesa · llvmpipe", times)).toEqual([]);
  expect(judgeExperiment("google · swiftshader", { ...times, preset: "smoke" })).toEqual([]);
});

describe("a row beside the peers", () => {
  const entry = (name: string, times: number | null): Entry => ({
    name,
    seconds: times,
    dispatches: 1,
    times: times === null ? null : just(times),
    problem: times === null ? "gave a wrong output" : null,
  });
  const row = (name: string, ...entries: Entry[]) => ({ name: name as "matmul", shape: "1", entries, roundSeconds: 1 });

  test("is judged by the better of jax-js and tfjs, and by onnxruntime", () => {
    const of = (jax: number | null, tfjs: number | null, onnx: number) =>
      judgePeers(
        row("matmul", entry("Lethe", 1), entry("jax-js", jax), entry("tfjs", tfjs), entry("onnxruntime", onnx)),
      );
    expect(of(4, 9, 2)).toMatchObject([{ passed: true }, { passed: true }]);
    expect(of(3.9, 9, 1.9)).toMatchObject([{ passed: false }, { passed: false }]);
    expect(of(null, 9, 2)).toMatchObject([{ passed: true, value: { median: 9 } }, { passed: true }]);
    expect(of(null, null, 2)).toMatchObject([{ figure: "× onnxruntime" }]);
  });

  test("has a lower target beside onnxruntime for kernels of rows", () => {
    expect(judgePeers(row("softmax", entry("onnxruntime", 1.8)))).toMatchObject([{ passed: true }]);
    expect(judgePeers(row("attention", entry("onnxruntime", 1.8)))).toMatchObject([{ passed: false }]);
  });

  test("has targets for every task", () => {
    for (const { kind } of taskPlans)
      expect(judgePeers(row(kind, entry("tfjs", 5), entry("onnxruntime", 5)))).toHaveLength(2);
  });
});

test("a verdict says what was compared with what", () => {
  const [verdict] = judgeAgainst("pass decode tiny-llama, B1", { median: 2.61, low: 2.48, high: 2.7 });
  expect(describeVerdict(verdict!)).toBe("pass: 2.6 (2.5–2.7) × the baseline, at least 2.5");
});
