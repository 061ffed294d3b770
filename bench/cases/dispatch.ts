import { add, Device, type F32 } from "@lethe/tensor";
import { create } from "webgpu";
import type { BenchCase, PreparedCase } from "../case.ts";

// The cost of a run of a kernel beside that of a bare WebGPU program, which is the plain way. Runs depend on each other, as those of a
// model do, and are so small that nothing but their number takes time.

const runs = 256;
const elements = 256;

/** One more than x, `runs` times. */
interface Chain {
  readonly x: F32;
  readonly one: F32;
  /** Two tensors that take turns. */
  readonly turns: readonly [F32, F32];
}

function chainOn(device: Device): Chain {
  const filled = (value: number) => device.tensor(new Float32Array(elements).fill(value), [elements]) as F32;
  return { x: filled(0), one: filled(1), turns: [filled(0), filled(0)] };
}

type Way = (device: Device, chain: Chain) => F32;

const dispatches: Way = (device, { x, one, turns }) => {
  let a = x;
  for (let i = 0; i < runs; i++) {
    const out = turns[i % 2]!;
    const params = { count: elements };
    device.dispatch({ kernel: "binary", bindings: { a, b: one, out }, params, workgroups: [1, 1, 1] });
    a = out;
  }
  return a;
};

const operations: Way = (_, { x, one }) => {
  let sum = x;
  for (let i = 0; i < runs; i++) sum = add(sum, one);
  return sum;
};

/** The same without Lethe: one compute pass that is submitted once. */
function bareChain(gpu: GPUDevice): () => void {
  const code = `
    @group(0) @binding(0) var<storage, read> a: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = a[id.x] + 1.0; }`;
  const module = gpu.createShaderModule({ code });
  const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const layout = pipeline.getBindGroupLayout(0);
  const buffers = [0, 1].map(() => gpu.createBuffer({ size: 4 * elements, usage: GPUBufferUsage.STORAGE }));
  const groups = [0, 1].map((turn) =>
    gpu.createBindGroup({
      layout,
      entries: [0, 1].map((binding) => ({ binding, resource: { buffer: buffers[(turn + binding) % 2]! } })),
    }),
  );
  return () => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (let i = 0; i < runs; i++) {
      pass.setBindGroup(0, groups[i % 2]!);
      pass.dispatchWorkgroups(1);
    }
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  };
}

async function checkSum(sum: F32): Promise<void> {
  const values = await sum.read();
  if (!values.every((value) => value === runs)) throw new Error(`dispatch: ${runs} additions of 1 give ${values[0]}`);
}

/** Runs on this device, to the end of the last one. */
function onDevice(way: Way): BenchCase["prepare"] {
  return (device) => {
    const chain = chainOn(device);
    const run = () => way(device, chain);
    return { run, plain: bareChain(device.gpu as GPUDevice), check: () => checkSum(run()) };
  };
}

/** A recording of the operations, replayed. */
function replayed(device: Device): PreparedCase {
  const recording = device.record(() => operations(device, chainOn(device)));
  return {
    run: () => recording.replay(),
    plain: bareChain(device.gpu as GPUDevice),
    check: () => checkSum(recording.result),
    dispose: () => recording.dispose(),
  };
}

let nothing: GPU | undefined;

/** A device of Dawn that takes all work and computes nothing: what is left is the host's time. */
async function hostOnly(): Promise<Device> {
  nothing ??= create(["backend=null"]);
  const adapter = (await nothing.requestAdapter())!;
  return new Device(await adapter.requestDevice(), adapter.info);
}

/** The host's time of these ways, on a device that has nothing to do. */
function onHost(prepareWay: (device: Device) => PreparedCase | Promise<PreparedCase>): BenchCase["prepare"] {
  return async () => {
    const host = await hostOnly();
    const { run, plain } = await prepareWay(host);
    const whole = (way: () => unknown) => async () => {
      using _ = host.scope("host");
      way();
      await host.idle();
    };
    return {
      run: whole(run),
      plain: whole(plain!),
      // This device computes nothing. The same ways are checked on the other.
      check: async () => {},
      dispose: () => host.destroy(),
    };
  };
}

/** A read of one number, beside a bare one whose buffer is there. */
const read: BenchCase = {
  name: "read",
  shape: "4 bytes",
  prepare(device) {
    const x = device.tensor([7], [1]);
    const gpu = device.gpu as GPUDevice;
    const from = gpu.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_SRC });
    const to = gpu.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    return {
      run: () => x.read(),
      async plain() {
        const encoder = gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(from, 0, to, 0, 4);
        gpu.queue.submit([encoder.finish()]);
        await to.mapAsync(GPUMapMode.READ);
        to.getMappedRange().slice(0);
        to.unmap();
      },
      async check() {
        if ((await x.item()) !== 7) throw new Error("read: the number is not the one that was written");
      },
    };
  },
};

const shape = `${runs} runs that depend on each other`;

export const dispatchCases: readonly BenchCase[] = [
  { name: "dispatch", shape, prepare: onDevice(dispatches) },
  { name: "dispatch by add", shape, prepare: onDevice(operations) },
  { name: "dispatch replayed", shape, prepare: replayed },
  { name: "dispatch, host alone", shape, prepare: onHost(onDevice(dispatches)) },
  { name: "dispatch by add, host", shape, prepare: onHost(onDevice(operations)) },
  { name: "dispatch replayed, host", shape, prepare: onHost(replayed) },
  read,
];
