import { type F32, ops } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { expect, test } from "vitest";
import { Captures, HookSession, Hooks, pointAt, pointsOf } from "../src/index.ts";

const device = await testDevice();
const run = { points: pointsOf({ first: 0, end: 2 }), ops, length: 3 };

const counting = (...shape: number[]) => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return device.tensor(
    Array.from({ length: size }, (_, i) => i),
    shape,
  );
};

test("without hooks a point gives the tensor itself", () => {
  const session = new HookSession(undefined, run);
  const x = counting(1, 3, 2);
  expect(session.at("m", 0, x)).toBe(x);
  session.finish();
});

test("hooks at one point apply in the order in which they were added", async () => {
  const hooks = new Hooks().add("m", 1, { layers: [0] }).scale("m", 10, { layers: [0] });
  const session = new HookSession(hooks, run);
  expect([...(await session.at("m", 0, counting(1, 3, 1)).read())]).toEqual([10, 20, 30]);
  session.finish();
});

test("a list of hooks is not changed by building on it", () => {
  const base = new Hooks().scale("m", 0);
  base.scale("A", 0);
  expect(base.list).toHaveLength(1);
});

test("a captured tensor outlives its scope, belongs to the captures and is replaced by the next run", async () => {
  const captures = new Captures();
  const hooks = new Hooks().capture("m.0", captures);
  const inUse = () => device.memory().bytesInUse;
  const before = inUse();
  for (const value of [1, 2]) {
    using _scope = device.scope("run");
    const session = new HookSession(hooks, run);
    session.at("m", 0, device.tensor([value, value, value], [1, 3, 1]));
    session.finish();
  }
  expect([...(await captures.get("blocks.0.mlp.hook_post").read())]).toEqual([2, 2, 2]);
  expect(inUse()).toBe(before + 256);
  expect(() => captures.get("m", 1)).toThrow("m of layer 1 was not captured; the captured points are m.0");
  captures.dispose();
  expect(inUse()).toBe(before);
});

test("some positions of a tensor of any rank are edited, and the others keep every bit", async () => {
  const x = device.tensor([-0, 1e-40, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 3, 1, 2]);
  const before = await x.read();
  const hooks = new Hooks().edit("q", (part: F32) => ops.affine(part, { factor: -1 }), {
    layers: [1],
    positions: [-2],
  });
  const after = await new HookSession(hooks, run).at("q", 1, x).read();
  const edited = [2, 3, 8, 9];
  for (const [i, value] of before.entries())
    expect(Object.is(after[i], edited.includes(i) ? -value : value), `${i}`).toBe(true);
});

test("a parameter keeps its dtype where nothing is changed, and is widened where an edit asks for it", async () => {
  const weight = device.tensor([1, 2, 3, 4], [2, 2], "bf16");
  const same = new HookSession(
    new Hooks().edit("W_V", (w) => w),
    run,
  );
  expect(same.at("W_V", 0, weight)).toBe(weight);
  const scaled = new HookSession(new Hooks().scale("W_V", 0.5), run).at("W_V", 0, weight);
  expect([scaled.dtype, ...(await scaled.read())]).toEqual(["f32", 0.5, 1, 1.5, 2]);
});

test("a replaced tensor is not computed, and a replacement of another shape is still refused", () => {
  const source = new Captures("source");
  source.put(pointAt("m", 0), counting(1, 3, 4).retain());
  const session = new HookSession(new Hooks().restore("m", [0], source), run);
  const never = () => expect.fail("computed");
  expect(session.produce("m", 0, [1, 3, 4], ["gate"], never)).toBe(source.get("m", 0));
  expect(() => session.produce("m", 0, [1, 3, 5], ["gate"], never)).toThrow("m.0 is [1,3,5] in this run");
  source.dispose();
});

test("the error for a point that was never reached names it", () => {
  const session = new HookSession(new Hooks().scale("m", 2), run);
  session.at("m", 0, counting(1, 3, 4));
  expect(() => session.finish()).toThrow("scale m (m.1)");
});
