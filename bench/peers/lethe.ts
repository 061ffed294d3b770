import { attention, type Device, matmul, ops, rmsNorm, softmax, swiglu, type Tensor } from "@lethe/tensor";
import { AdamW, selectTrainable, Tape } from "@lethe/unlearn";
import { type Contender, type ContenderWork, secondsEach } from "./peer.ts";
import { adam, eps, type Task } from "./tasks.ts";

type F32 = Tensor<readonly number[], "f32">;

/** Lethe itself, as its own users call it. */
export function letheContender(device: Device, version: string): Contender {
  return { name: "Lethe", version, prepare: async (task) => prepare(device, task) };
}

function prepare(device: Device, task: Task): ContenderWork {
  const scope = device.scope(task.kind);
  const given = Object.fromEntries(
    Object.entries(task.operands).map(([name, { values, shape }]) => [name, device.tensor(values, shape, "f32", name)]),
  ) as Record<string, F32>;
  const { run, output, dispose } = task.kind === "mlp_step" ? mlpStep(device, given) : alone(device, task.kind, given);
  return {
    output,
    time: (repeats) =>
      secondsEach(repeats, async () => {
        for (let i = 0; i < repeats; i++) {
          using _ = device.scope("run");
          run();
        }
        await device.idle();
      }),
    dispose() {
      dispose?.();
      scope[Symbol.dispose]();
      device.trim();
    },
  };
}

interface Runnable {
  readonly run: () => unknown;
  readonly output: () => Promise<ArrayLike<number>>;
  readonly dispose?: () => void;
}

/** One operation on tensors that stay as they are. */
function alone(device: Device, kind: Exclude<Task["kind"], "mlp_step">, given: Record<string, F32>): Runnable {
  const { a, b, x, weight, gate, up } = given as Record<string, Tensor<number[], "f32">>;
  const heads = (t: F32) => t.reshape([1, ...t.shape] as [number, number, number, number]);
  const run = {
    matmul: () => matmul(a!, b! as never),
    rms_norm: () => rmsNorm(x!, weight! as never, { eps }),
    swiglu: () => swiglu(gate!, up!),
    softmax: () => softmax(x!),
    attention: () => attention(heads(given.q!), heads(given.k!), heads(given.v!)),
  }[kind] as () => F32;
  return {
    run,
    async output() {
      using _ = device.scope("output");
      return await run().read();
    },
  };
}

function mlpStep(device: Device, { x, y, w1, w2 }: Record<string, F32>): Runnable {
  const weights = { w1: w1!, w2: w2! };
  const { learningRate, ...settings } = adam;
  const optimiser = new AdamW(selectTrainable(Object.entries(weights)), { ...settings, weightDecay: 0 });
  const tape = new Tape(ops);
  tape.watch([w1!, w2!]);
  const run = () => {
    const loss = device.scoped("forward", () => {
      const hidden = tape.ops.unary(tape.ops.matmul(x! as Tensor<number[], "f32">, w1! as never) as F32, {
        kind: "relu",
      });
      const out = tape.ops.matmul(hidden as Tensor<number[], "f32">, w2! as never) as F32;
      return tape.ops.mse(out, y! as never, { reduction: "mean" });
    });
    optimiser.update(tape.backward(loss), learningRate);
    return loss;
  };
  return {
    run,
    async output() {
      using _ = device.scope("output");
      return [await run().item(), ...(await w2!.read())];
    },
    dispose() {
      tape[Symbol.dispose]();
      optimiser[Symbol.dispose]();
    },
  };
}
