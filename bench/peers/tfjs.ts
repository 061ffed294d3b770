import { peer, peerVersion, type Untyped } from "./installed.ts";
import { type Contender, type ContenderWork, secondsEach } from "./peer.ts";
import { adam, causalMask, eps, type Task } from "./tasks.ts";

const backend = "@tensorflow/tfjs-backend-webgpu";

/** TensorFlow.js on its WebGPU backend. */
export async function tfjsContender(): Promise<Contender> {
  Object.assign(globalThis, { window: globalThis });
  const tf = peer("@tensorflow/tfjs");
  peer(backend);
  if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend did not start");
  await tf.ready();
  return { name: "tfjs", version: peerVersion(backend)!, prepare: async (task) => prepare(tf, task) };
}

function prepare(tf: Untyped, task: Task): ContenderWork {
  const given = Object.fromEntries(
    Object.entries(task.operands).map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
  );
  const { run, output, dispose } = task.kind === "mlp_step" ? mlpStep(tf, given) : alone(tf, task, given);
  return {
    output,
    async time(repeats) {
      const kept: Untyped[] = [];
      const seconds = await secondsEach(repeats, async () => {
        for (let i = 0; i < repeats; i++) kept.push(run());
        await idle(tf);
      });
      tf.dispose(kept);
      return seconds;
    },
    dispose() {
      tf.dispose(given);
      dispose?.();
    },
  };
}

/** Waits for all that was started. A pass that is open must be ended first, or the device refuses the commands. */
async function idle(tf: Untyped): Promise<void> {
  const own = tf.backend();
  own.endComputePassEncoder();
  own.submitQueue();
  await own.queue.onSubmittedWorkDone();
}

interface Runnable {
  readonly run: () => Untyped;
  readonly output: () => Promise<ArrayLike<number>>;
  readonly dispose?: () => void;
}

function alone(tf: Untyped, task: Task, given: Record<string, Untyped>): Runnable {
  const { a, b, x, weight, gate, up } = given;
  const work = {
    matmul: () => tf.matMul(a, b),
    rms_norm: () => x.mul(tf.rsqrt(tf.mean(tf.square(x), -1, true).add(eps))).mul(weight),
    swiglu: () => gate.mul(tf.sigmoid(gate)).mul(up),
    softmax: () => tf.softmax(x),
    attention: task.kind === "attention" ? attention(tf, task, given) : undefined,
  }[task.kind as Exclude<Task["kind"], "mlp_step">];
  const run = () => tf.tidy(work);
  return {
    run,
    async output() {
      const result = run();
      return (task.kind === "attention" ? tf.transpose(result, [1, 0, 2]) : result).data();
    },
  };
}

/** The library has no attention of its own, so it is three operations, with heads first and a mask of large negative numbers. */
function attention(tf: Untyped, task: Task, given: Record<string, Untyped>): () => Untyped {
  const [length = 0, , width = 1] = task.operands.q!.shape;
  const [q, k, v] = [given.q, given.k, given.v].map((t) => tf.transpose(t, [1, 0, 2]));
  const mask = tf.tensor(causalMask(length), [length, length]);
  return () => tf.matMul(tf.softmax(tf.matMul(q.mul(1 / Math.sqrt(width)), k, false, true).add(mask)), v);
}

function mlpStep(tf: Untyped, { x, y, w1, w2 }: Record<string, Untyped>): Runnable {
  const weights = [tf.variable(w1), tf.variable(w2)];
  const { learningRate, beta1, beta2, epsilon } = adam;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const lossOf = () => tf.mean(tf.square(tf.matMul(tf.relu(tf.matMul(x, weights[0])), weights[1]).sub(y)));
  const run = () => optimizer.minimize(lossOf, true, weights);
  return {
    run,
    output: async () => [(await run().data())[0], ...(await weights[1].data())],
    dispose() {
      optimizer.dispose();
      tf.dispose(weights);
    },
  };
}
