import { expect, onTestFinished, test, vi } from "vitest";
import { type Device, openDevice, type Shape, type Tensor } from "../src/index.ts";

/** A kernel that writes a parameter of each type. */
const source = `
struct Params { whole: u32, signed: i32, real: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(1)
fn main() { out[0] = f32(params.whole); out[1] = f32(params.signed); out[2] = params.real; }
`;

/** Adds a parameter to what is there, and multiplies by another: the result tells the values and their order. */
const chainSource = `
struct Params { factor: f32, addend: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(1)
fn main() { out[0] = out[0] * params.factor + params.addend; }
`;

async function ownDevice(): Promise<Device> {
  const own = await openDevice();
  onTestFinished(() => own.destroy());
  own.addKernel("values", source);
  own.addKernel("chain", chainSource);
  return own;
}

const run = (device: Device, kernel: string, out: Tensor<Shape, "f32">, params: Record<string, number>) =>
  device.dispatch({ kernel, bindings: { out }, params, workgroups: [1, 1, 1] });

test("parameters of each type arrive, with their signs and rounded to f32", async () => {
  const own = await ownDevice();
  const out = own.tensor([0, 0, 0], [3]);
  run(own, "values", out, { whole: 2 ** 24, signed: -7, real: 0.1 });
  expect([...(await out.read())]).toEqual([2 ** 24, -7, Math.fround(0.1)]);
  run(own, "values", out, { whole: 0, signed: 0, real: -0 });
  expect([...(await out.read())]).toEqual([0, 0, -0]);
});

test("runs on the same buffers have each their own parameters, within a batch and over batches that are held back", async () => {
  const own = await ownDevice();
  const out = own.tensor([1], [1]);
  let expected = 1;
  for (let i = 0; i < 1500; i++) {
    const [factor, addend] = [i % 7 === 0 ? 0.5 : 1, i % 13];
    run(own, "chain", out, { factor, addend });
    expected = Math.fround(Math.fround(expected * factor) + addend);
  }
  expect([...(await out.read())]).toEqual([expected]);
});

test("work that repeats itself makes no bind groups and uploads only parameters that change", async () => {
  const own = await ownDevice();
  const outs = Array.from({ length: 5 }, () => own.tensor([0, 0, 0], [3]));
  const step = async (changing: number) => {
    for (const [i, out] of outs.entries())
      run(own, "values", out, { whole: i, signed: i === 2 ? changing : 1, real: 1 });
    await own.idle();
  };
  await step(1);
  const make = vi.spyOn(own.gpu, "createBindGroup");
  const upload = vi.spyOn(own.gpu.queue, "writeBuffer");
  await step(1);
  expect(upload).not.toHaveBeenCalled();
  await step(2);
  expect(upload).toHaveBeenCalledTimes(1);
  expect(make).not.toHaveBeenCalled();
  expect([...(await outs[2]!.read())]).toEqual([2, 2, 1]);
  expect([...(await outs[3]!.read())]).toEqual([3, 1, 1]);
});

test("slots of buffers that are destroyed serve others", async () => {
  const own = await ownDevice();
  for (let round = 0; round < 3; round++) {
    const outs = Array.from({ length: 30 }, () => own.tensor([0, 0, 0], [3]));
    for (const [i, out] of outs.entries()) run(own, "values", out, { whole: i + round, signed: -i, real: round });
    for (const [i, out] of outs.entries()) expect([...(await out.read())]).toEqual([i + round, -i || 0, round]);
    for (const out of outs) out.dispose();
    own.trim();
  }
  const uniform = own.memory().bindGroups;
  expect(uniform.cached).toBe(0);
});

test("a kernel of too many parameters is refused", async () => {
  const own = await ownDevice();
  const fields = Array.from({ length: 65 }, (_, i) => `p${i}: u32`);
  own.addKernel(
    "many",
    source.replace("real: f32", (field) => [field, ...fields].join(", ")),
  );
  const out = own.tensor([0, 0, 0], [3]);
  expect(() => run(own, "many", out, {})).toThrow(/many has 68 parameters and may have 64/);
});
