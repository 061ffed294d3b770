import { type F32, ops, type Tensor } from "@lethe/tensor";
import { testDevice } from "@lethe/testing/device";
import { expect, expectTypeOf, test } from "vitest";
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

test("some heads are edited and captured, and the others keep every bit", async () => {
  // [B, T, H, D] and [B, H, T, S], where heads are another axis.
  const shapes = { z: [1, 3, 2, 2], pattern: [1, 2, 3, 2] };
  for (const site of ["z", "pattern"] as const) {
    const shape = shapes[site];
    using seen = new Captures();
    const where = { layers: [0], heads: [1], positions: [2, 0] };
    const hooks = new Hooks().capture(site, seen, where).scale(site, -1, where);
    const after = await new HookSession(hooks, run).at(site, 0, counting(...shape)).read();
    const changed = site === "z" ? [2, 3, 10, 11] : [6, 7, 10, 11];
    expect([...after], site).toEqual(Array.from({ length: 12 }, (_, i) => (changed.includes(i) ? -i : i)));
    expect(seen.get(site, 0).shape).toEqual(site === "z" ? [1, 2, 1, 2] : [1, 1, 2, 2]);
  }
});

test("a capture knows its heads, and gives those that a hook restores", async () => {
  using all = new Captures("all heads");
  using one = new Captures("one head");
  const captured = new Hooks().capture("z", all).capture("z", one, { heads: [1] });
  const capturing = new HookSession(captured, run);
  for (const layer of [0, 1]) capturing.at("z", layer, counting(1, 3, 2, 2));
  const restored = (source: Captures, where: object) =>
    new HookSession(new Hooks().restore("z", [0], source, where), run).at(
      "z",
      0,
      ops.affine(counting(1, 3, 2, 2), { factor: 0 }),
    );
  for (const source of [all, one])
    expect([...(await restored(source, { heads: [1], positions: [1] }).read())]).toEqual([
      0, 0, 0, 0, 0, 0, 6, 7, 0, 0, 0, 0,
    ]);
  expect([...(await restored(all, { heads: [1, 0] }).read())]).toEqual([...(await counting(12).read())]);
  expect(() => restored(one, { heads: [0] })).toThrow(
    "restore z: z.0 was asked for at head 0, and one head holds it at heads 1; capture every head that is to be restored",
  );
  expect(() => restored(one, {})).toThrow("z.0 was asked for at every head, and one head holds it at heads 1");
  expect(() => restored(all, { heads: [2] })).toThrow("restore z: z.0 has heads 0 to 1; head 2 was asked for");
  expect(() => new HookSession(new Hooks().scale("m", 0, { heads: [0] }), run)).toThrow(
    "scale m: m.0 has no heads to choose from",
  );
});

test("a pattern is taken by its queries, and one with other keys is refused with the reason", async () => {
  using seen = new Captures("a longer run");
  new HookSession(new Hooks().capture("pattern.0", seen), { ...run, length: 4 }).at("pattern", 0, counting(1, 2, 4, 4));
  const hooks = new Hooks().restore("pattern", [0], seen, { positions: [1] });
  const x = counting(1, 2, 3, 4);
  expect([...(await new HookSession(hooks, run).at("pattern", 0, x).read())]).toEqual([
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ...[12, 13, 14, 15, 20, 21, 22, 23, 20, 21, 22, 23],
  ]);
  expect(() => new HookSession(hooks, run).at("pattern", 0, counting(1, 2, 3, 3))).toThrow(
    "pattern.0 is [1,2,1,3] in this run and its replacement is [1,2,1,4]",
  );
});

test("a part of a capture is selected by positions of its run, heads and sequences", async () => {
  using seen = new Captures("the capture");
  const hooks = new Hooks().capture("z.0", seen, { positions: [-1, 0] }).capture("m.0", seen);
  const session = new HookSession(hooks, run);
  session.at("z", 0, counting(2, 3, 2, 1));
  session.at("m", 0, counting(2, 3, 1));
  const part = async (...given: Parameters<Captures["select"]>) => [...(await seen.select(...given).read())];
  expect(await part("m", { layer: 0, positions: [2, -2] })).toEqual([2, 1, 5, 4]);
  expect(await part("blocks.0.attn.hook_z", { heads: [1] })).toEqual([5, 1, 11, 7]);
  expect(await part("z.0", { sequences: [1], positions: [0], heads: [1] })).toEqual([7]);
  expect(seen.select("z.0", { sequences: [1], positions: [0], heads: [1] }).shape).toEqual([1, 1, 1, 1]);
  expect(seen.select("m.0").storage).toBe(seen.get("m.0").storage);
  expect(() => seen.select("z.0", { positions: [1] })).toThrow(
    "select of z.0 was asked for at position 1, and the capture holds it at positions 2, 0",
  );
  expect(() => seen.select("m.0", { positions: [3] })).toThrow("position 3 is outside this run's 3 positions");
  expect(() => seen.select("m.0", { heads: [0] })).toThrow("select of m.0: it has no heads");
  expect(() => seen.select("z.0", { heads: [2] })).toThrow("select of z.0 has heads 0 to 1; head 2 was asked for");
  expect(() => seen.select("z.0", { sequences: [2] })).toThrow("sequence 2 was asked for, and there are 2");
});

test("logits at some rows fit a run with these rows alone", async () => {
  using seen = new Captures("the capture");
  const [rows, others] = [device.tensor([0, 2], [2], "u32"), device.tensor([1, 2], [2], "u32")];
  const session = new HookSession(new Hooks().capture("logits", seen), { ...run, rows });
  session.at("logits", null, counting(2, 4));
  const hooks = new Hooks().replace("logits", counting(2, 4)).list;
  const restoring = new Hooks([{ ...hooks[0]!, action: { kind: "replace", source: seen } }]);
  expect(new HookSession(restoring, { ...run, rows }).at("logits", null, counting(2, 4))).toBe(seen.get("logits"));
  expect(() => new HookSession(restoring, { ...run, rows: others })).toThrow(
    "logits is there at the rows that were asked for in this run and at rows in the capture, which need not be the same",
  );
  expect(() => new HookSession(restoring, run)).toThrow("logits is there at every position in this run and at rows");
  const last = new Hooks().scale("logits", 0, { positions: [-1] });
  expect(() => new HookSession(last, { ...run, rows })).toThrow("logits has rows in this run, and no positions");
  expect(() => seen.select("logits", { positions: [0] })).toThrow("it was captured without positions, as [2,4]");
});

test("captured activations are f32; a parameter has the dtype of its model", () => {
  using seen = new Captures();
  expectTypeOf(() => seen.get("m", 0)).returns.toEqualTypeOf<F32>();
  expectTypeOf(() => seen.get("blocks.1.attn.hook_rot_q")).returns.toEqualTypeOf<F32>();
  expectTypeOf(() => seen.get("W_V", 0)).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(() => seen.get("W_V.3")).returns.toEqualTypeOf<Tensor>();
});
