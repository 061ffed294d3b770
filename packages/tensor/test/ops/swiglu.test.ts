import { expectClose } from "@lethe/testing/close";
import { testDevice } from "@lethe/testing/device";
import { finiteDifferences } from "@lethe/testing/gradient";
import { normal } from "@lethe/testing/random";
import { expect, test } from "vitest";
import { swiglu, swigluBackward } from "../../src/ops/swiglu.ts";

const device = await testDevice();
const reference = (gate: ArrayLike<number>, up: ArrayLike<number>) =>
  Float64Array.from(gate, (g, i) => (g / (1 + Math.exp(-g))) * up[i]!);

test.each([[1], [7], [3, 5], [2, 3, 131]])("swiglu and its gradients at %j", async (...shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const [gate, up, gradient] = [normal(size, 2), normal(size), normal(size)];
  const [g, u] = [device.tensor(gate, shape), device.tensor(up, shape)];
  expectClose(await swiglu(g, u).read(), reference(gate, up));
  const [gateGradient, upGradient] = finiteDifferences(reference, [gate.slice(0, 50), up.slice(0, 50)], gradient);
  const actual = swigluBackward(g, u, device.tensor(gradient, shape));
  expectClose((await actual.gate.read()).slice(0, 50), gateGradient!, { label: "gate" });
  expectClose((await actual.up.read()).slice(0, 50), upGradient!, { label: "up" });
});

test("large gates stay finite", async () => {
  const gate = device.tensor([-1e4, -200, -90, 90, 200, 1e4], [6]);
  const ones = device.tensor(new Float32Array(6).fill(1), [6]);
  expectClose(await swiglu(gate, ones).read(), [0, 0, 0, 90, 200, 1e4]);
  const { gate: slope } = swigluBackward(gate, ones, ones);
  expectClose(await slope.read(), [0, 0, 0, 1, 1, 1]);
});

test("shapes must be equal", () => {
  const [a, b] = [device.tensor([1, 2], [2]), device.tensor([1, 2], [2, 1])];
  expect(() => swiglu(a as never, b as never)).toThrow("swiglu: up has shape [2, 1] and must have [2]");
});
