import { testDevice } from "@lethe/testing/device";
import { integer, normal } from "@lethe/testing/random";
import { describe, expect, test } from "vitest";
import {
  affine,
  type Device,
  DeviceLostError,
  DeviceValidationError,
  full,
  LetheError,
  OutOfMemoryError,
  openDevice,
  ShapeError,
} from "../src/index.ts";

const device = await testDevice();

/** Runs a test on a device of its own, because no work continues on a device after a failure. */
async function withDevice(work: (device: Device) => Promise<void>): Promise<void> {
  const own = await openDevice();
  try {
    await work(own);
  } finally {
    own.destroy();
  }
}

describe("values that are uploaded come back", () => {
  test.each(["f32", "i32", "u32"] as const)("%s", async (dtype) => {
    const values = [0, 1, 2, 77, 123_456];
    expect([...(await device.tensor(values, [5], dtype).read())]).toEqual(values);
  });

  test.each(["f16", "bf16"] as const)("%s, of an odd count", async (dtype) => {
    const values = [0, -1.5, 2];
    expect([...(await device.tensor(values, [3], dtype).read())]).toEqual(values);
  });

  test("a large one", async () => {
    const values = Float32Array.from({ length: 5_000_003 }, (_, i) => i);
    const back = await device.tensor(values, [values.length]).read();
    expect(back.length).toBe(values.length);
    expect(back.every((value, i) => value === i)).toBe(true);
  });

  test("an empty one, and one value", async () => {
    expect((await device.tensor([], [0, 3]).read()).length).toBe(0);
    expect(await device.tensor([5], []).item()).toBe(5);
    await expect(device.tensor([1, 2], [2], "f32", "pair").item()).rejects.toThrow(/item: pair has shape \[2\]/);
  });

  test("bytes written in parts", async () => {
    const tensor = device.empty([5], "f32");
    const bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5).buffer);
    device.writeBytes(tensor, 8, bytes.subarray(8));
    device.writeBytes(tensor, 0, bytes.subarray(0, 8));
    expect([...(await tensor.read())]).toEqual([1, 2, 3, 4, 5]);
    expect(() => device.writeBytes(tensor, 8, bytes)).toThrow(/tensor: 20 bytes at 8 do not fit its 20 bytes/);
    expect(() => device.writeBytes(tensor, 0, new Uint8Array(23))).toThrow(/23 bytes at 0 do not fit/);
  });

  test("too many or too few values", () => {
    expect(() => device.tensor([1, 2, 3], [2, 2], "f32", "square")).toThrow(
      "square: 3 values for shape [2, 2], which holds 4",
    );
    expect(() => device.empty([2.5], "f32", "odd")).toThrow("empty: shape is [2.5]; expected a shape");
  });
});

describe("order", () => {
  test("an upload after recorded work does not overtake it", async () => {
    const x = device.tensor([1, 2], [2]);
    const before = affine(x, { factor: 10 });
    device.writeBytes(x, 0, new Uint8Array(Float32Array.of(3, 4).buffer));
    const after = affine(x, { factor: 10 });
    expect([...(await before.read())]).toEqual([10, 20]);
    expect([...(await after.read())]).toEqual([30, 40]);
  });

  test("an upload into a buffer that was freed while work on it is recorded", async () => {
    const x = device.tensor([1, 2], [2]);
    const y = affine(x, { factor: 10 });
    x.dispose();
    const z = device.tensor([5, 6], [2]);
    expect([...(await y.read())]).toEqual([10, 20]);
    expect([...(await z.read())]).toEqual([5, 6]);
  });

  test("copies and kernels alternate", async () => {
    const x = device.tensor([1, 2, 3, 4], [4]);
    const y = full(device, [4], 0);
    for (let i = 0; i < 3; i++) {
      device.copyBytes(x, 0, y, 8, 8);
      device.copyBytes(y, 8, x, 4, 4);
    }
    expect([...(await y.read())]).toEqual([0, 0, 1, 1]);
  });

  test("thousands of runs in one batch each keep their own parameters", async () => {
    const count = 3001;
    const factors = Array.from({ length: count }, () => integer(1, 1000));
    const one = full(device, [1], 1);
    const before = device.dispatches;
    const outputs = factors.map((factor) => affine(one, { factor }));
    // Each output is poisoned first.
    expect(device.dispatches - before).toBe(2 * count);
    const sampled = [
      0,
      255,
      256,
      1023,
      1024,
      2048,
      count - 1,
      ...Array.from({ length: 20 }, () => integer(0, count - 1)),
    ];
    for (const i of sampled) expect(await outputs[i]!.item(), `run ${i}`).toBe(factors[i]);
  });
});

describe("how a kernel is called", () => {
  const call = (bindings: Record<string, unknown>, params: Record<string, number>, kernel = "affine") =>
    device.dispatch({ kernel, bindings: bindings as never, params, workgroups: [1, 1, 1] });
  const ready = () => ({ x: full(device, [4], 1), out: full(device, [4], 0) });
  const params = { count: 4, factor: 1, offset: 0 };

  test("a missing binding", () => {
    const { x } = ready();
    expect(() => call({ x }, params)).toThrow("kernel affine: binding out was not given");
  });

  test("a binding too many", () => {
    expect(() => call({ ...ready(), y: full(device, [4], 0) }, params)).toThrow(
      /kernel affine takes bindings x,out and parameters count,factor,offset; it was given x,out,y/,
    );
  });

  test("a parameter that is missing or not finite", () => {
    expect(() => call(ready(), { count: 4, factor: 1 })).toThrow(/affine: parameter offset is undefined/);
    expect(() => call(ready(), { ...params, factor: Number.NaN })).toThrow(/affine: parameter factor is NaN/);
  });

  test("a constant that the kernel does not have", () => {
    const { x, out } = ready();
    const wrong = {
      kernel: "affine",
      constants: { TILE: 1 },
      bindings: { x, out },
      params,
      workgroups: [1, 1, 1],
    } as const;
    expect(() => device.dispatch(wrong)).toThrow("kernel affine has no constant TILE");
  });

  test("one buffer read and written", () => {
    const { out } = ready();
    expect(() => call({ x: out, out }, params)).toThrow("kernel affine: out is written and also bound a second time");
    expect(() => call({ x: out.reshape([2, 2]), out }, params)).toThrow(DeviceValidationError);
  });

  test("more workgroups than the adapter allows", () => {
    const { x, out } = ready();
    const over = device.capabilities.maxWorkgroupsPerDimension + 1;
    const wrong = { kernel: "affine", bindings: { x, out }, params, workgroups: [over, 1, 1] } as const;
    expect(() => device.dispatch(wrong)).toThrow(/workgroups are more than the adapter allows/);
    expect(device.grid(over)).toEqual([over / 2, 2, 1]);
  });

  test("more elements than one dimension of workgroups takes", async () => {
    const count = device.capabilities.maxWorkgroupsPerDimension * 64 + 65;
    const out = full(device, [count], 3);
    expect((await out.read()).every((value) => value === 3)).toBe(true);
  });

  test("a tensor of another device", () =>
    withDevice(async (other) => {
      const stranger = full(other, [4], 1);
      expect(() => call({ ...ready(), x: stranger }, params)).toThrow(/kernel affine: full belongs to another device/);
    }));
});

/** A kernel that the package does not have. */
const doubling = `
@group(0) @binding(1) var<storage> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(1) fn main() { out[0] = 2.0 * x[0]; }`;

test("a kernel that a caller adds runs by its name, and no other can have that name", () =>
  withDevice(async (own) => {
    const out = own.empty([1]);
    const run = (kernel: string) =>
      own.dispatch({ kernel, bindings: { x: own.tensor([3], [1]), out }, workgroups: [1, 1, 1] });
    own.addKernel("double", doubling);
    run("double");
    expect(await out.item()).toBe(6);
    own.addKernel("double", doubling);
    expect(() => own.addKernel("double", `${doubling} `)).toThrow("another kernel of the name double");
    affine(out, {});
    expect(() => own.addKernel("affine", doubling)).toThrow(LetheError);
  }));

test("a constant in a kernel's text takes the value that each dispatch gives it", () =>
  withDevice(async (own) => {
    own.addKernel(
      "lengths",
      `const LENGTH = 2u; //! define: of an array in a function, which no override constant may be
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1) fn main() {
  var ones: array<u32, LENGTH>;
  for (var i = 0u; i < LENGTH; i++) { ones[i] = 1u; }
  for (var i = 0u; i < LENGTH; i++) { out[0] += ones[i]; }
}`,
    );
    for (const [constants, length] of [[{}, 2] as const, [{ LENGTH: 5 }, 5] as const, [{ LENGTH: 2 }, 2] as const]) {
      const out = own.tensor([0], [1], "u32");
      own.dispatch({ kernel: "lengths", constants, bindings: { out }, workgroups: [1, 1, 1] });
      expect(await out.item()).toBe(length);
    }
  }));

describe("failures", () => {
  test("the error of a kernel that does not compile names it and quotes the compiler", () =>
    withDevice(async (own) => {
      const out = own.empty([1]);
      const kernel = "broken";
      own.addKernel(kernel, doubling.replace("2.0 * x[0]", "vec2f(1.0, 2.0)"));
      const run = async () => {
        own.dispatch({ kernel, bindings: { x: own.tensor([1], [1]), out }, workgroups: [1, 1, 1] });
        await out.read();
      };
      await expect(run()).rejects.toThrow(DeviceValidationError);
      await expect(run()).rejects.toThrow(/kernel broken does not compile: .*vec2/s);
      // No work continues after a failure.
      expect(() => own.empty([1])).toThrow(/broken does not compile/);
    }));

  test("a buffer larger than the adapter allows, in bytes", () => {
    const { maxBufferBytes } = device.capabilities;
    const shape = [Math.floor(maxBufferBytes / 4) + 1];
    expect(() => device.empty(shape, "f32", "huge")).toThrow(OutOfMemoryError);
    expect(() => device.empty(shape, "f32", "huge")).toThrow(
      `huge needs one buffer of ${shape[0]! * 4} bytes; this adapter allows at most ${maxBufferBytes}`,
    );
  });

  test("a binding larger than the adapter allows, in bytes", async () => {
    const small = await openDevice({ maxBindingBytes: 1024 });
    const x = small.empty([257]);
    const out = small.empty([1]);
    const run = () =>
      small.dispatch({
        kernel: "argmax",
        bindings: { x, out },
        params: { rows: 1, width: 257 },
        workgroups: [1, 1, 1],
      });
    expect(run).toThrow("kernel argmax: x binds 1028 bytes and this adapter allows 1024");
    small.destroy();
  });

  test("memory that runs out later, on the device, is an error that names the buffer, and no work continues", () =>
    withDevice(async (own) => {
      // No adapter here runs out of memory before the whole machine does, so the test makes up the device's answer.
      const pop = own.gpu.popErrorScope;
      own.gpu.popErrorScope = async () => {
        await pop.call(own.gpu);
        return { message: "not enough memory left" };
      };
      own.empty([64], "f32", "key cache of layer 3");
      own.gpu.popErrorScope = pop;
      await own.idle().catch(() => {});
      expect(() => own.empty([1])).toThrow(OutOfMemoryError);
      expect(() => own.empty([1])).toThrow(
        "no memory for key cache of layer 3 (256 bytes; 256 bytes were in use): not enough memory left",
      );
    }));

  test("the error of a lost device names the last operation, and no work continues", () =>
    withDevice(async (own) => {
      const x = own.tensor(normal(4), [4]);
      const reading = affine(x, { factor: 2 }).read();
      own.gpu.destroy();
      await expect(reading).rejects.toThrow(DeviceLostError);
      expect(() => affine(x, { factor: 2 })).toThrow(
        /was lost \(destroyed\): .*; the last operation recorded was affine/,
      );
      await expect(x.read()).rejects.toThrow(DeviceLostError);
      await expect(own.idle()).rejects.toThrow(DeviceLostError);
    }));

  test("a device that was closed", async () => {
    const own = await openDevice();
    const x = own.tensor(normal(4), [4]);
    own.destroy();
    expect(() => own.empty([1])).toThrow(DeviceLostError);
    expect(() => affine(x, { factor: 2 })).toThrow(/closed with destroy/);
    await expect(x.read()).rejects.toThrow(DeviceLostError);
    await expect(own.idle()).rejects.toThrow(LetheError);
  });

  test("a shape error is a Lethe error with its own name", () => {
    const error = new ShapeError("x");
    expect(error).toBeInstanceOf(LetheError);
    expect(error.name).toBe("ShapeError");
  });
});

test("the adapter says what it is and what it can do", () => {
  expect(device.adapterName.length).toBeGreaterThan(0);
  const { maxBindingBytes, maxWorkgroupSize, bindingAlignment } = device.capabilities;
  expect(maxBindingBytes).toBeGreaterThanOrEqual(128 * 1024 * 1024);
  expect(maxWorkgroupSize).toBeGreaterThanOrEqual(256);
  expect(bindingAlignment % 4).toBe(0);
});
