import { peer, peerVersion, type Untyped } from "./installed.ts";
import { type Contender, type ContenderWork, secondsEach } from "./peer.ts";
import { adam, eps, type Task } from "./tasks.ts";

const name = "@jax-js/jax";

/** jax-js on WebGPU. Each task is one function under `jit`. */
export async function jaxContender(): Promise<Contender> {
  addIteratorHelpers();
  const jax = peer(name);
  await jax.init("webgpu");
  jax.defaultDevice("webgpu");
  return { name: "jax-js", version: peerVersion(name)!, prepare: async (task) => prepare(jax, task) };
}

/** `dotProductAttention` maps and filters an iterator, which Node 20 cannot do. */
function addIteratorHelpers(): void {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as Untyped;
  prototype.map ??= function* (this: Iterable<unknown>, f: (value: unknown) => unknown) {
    for (const value of this) yield f(value);
  };
  prototype.filter ??= function* (this: Iterable<unknown>, f: (value: unknown) => unknown) {
    for (const value of this) if (f(value)) yield value;
  };
}

function prepare(jax: Untyped, task: Task): ContenderWork {
  const { numpy: np, nn } = jax;
  const given = Object.fromEntries(
    Object.entries(task.operands).map(([name, { values, shape }]) => [name, np.array(values).reshape(shape)]),
  );
  if (task.kind === "mlp_step") return mlpStep(jax, given);
  const { a, b, x, weight, gate, up, q, k, v } = given;
  const heads = (t: Untyped) => t.reshape([1, ...task.operands.q!.shape]);
  // Every function takes its arguments over; `.ref` is for a use that is not the last.
  const [work, ...inputs] = {
    matmul: [(a: Untyped, b: Untyped) => np.matmul(a, b), a, b],
    rms_norm: [
      (x: Untyped, w: Untyped) =>
        x.ref.mul(np.reciprocal(np.sqrt(np.mean(np.square(x), -1, { keepdims: true }).add(eps)))).mul(w),
      x,
      weight,
    ],
    swiglu: [(gate: Untyped, up: Untyped) => nn.silu(gate).mul(up), gate, up],
    softmax: [(x: Untyped) => nn.softmax(x, -1), x],
    attention: [
      (q: Untyped, k: Untyped, v: Untyped) => nn.dotProductAttention(heads(q), heads(k), heads(v), { isCausal: true }),
      q,
      k,
      v,
    ],
  }[task.kind] as Untyped[];
  const jitted = jax.jit(work);
  const run = () => jitted(...inputs.map((input) => input.ref));
  return {
    output: () => run().data(),
    async time(repeats) {
      // To dispose of an array cancels its kernel where that has not begun, so all are kept until they are there.
      const kept: Untyped[] = [];
      const seconds = await secondsEach(repeats, async () => {
        for (let i = 0; i < repeats; i++) kept.push(run());
        await jax.blockUntilReady(kept);
      });
      for (const output of kept) output.dispose();
      return seconds;
    },
    dispose() {
      for (const input of inputs) input.dispose();
    },
  };
}

function mlpStep(jax: Untyped, { x, y, w1, w2 }: Untyped): ContenderWork {
  const { numpy: np, nn } = jax;
  const { learningRate, beta1, beta2, epsilon } = adam;
  const lossOf = ({ w1, w2 }: Untyped, x: Untyped, y: Untyped) =>
    np.mean(np.square(np.matmul(nn.relu(np.matmul(x, w1)), w2).sub(y)));
  const moved = (w: Untyped, slope: Untyped, m: Untyped, v: Untyped, first: Untyped, second: Untyped) => {
    const newM = m.mul(beta1).add(slope.ref.mul(1 - beta1));
    const newV = v.mul(beta2).add(np.square(slope).mul(1 - beta2));
    const step = newM.ref.mul(first).div(np.sqrt(newV.ref.mul(second)).add(epsilon));
    return [w.sub(step.mul(learningRate)), newM, newV];
  };
  const update = jax.jit((state: Untyped, x: Untyped, y: Untyped, first: Untyped, second: Untyped) => {
    const { w1, w2 } = state;
    const [loss, slopes] = jax.valueAndGrad(lossOf)({ w1: w1.ref, w2: w2.ref }, x, y);
    const [nextW1, m1, v1] = moved(w1, slopes.w1, state.m1, state.v1, first.ref, second.ref);
    const [nextW2, m2, v2] = moved(w2, slopes.w2, state.m2, state.v2, first, second);
    return { loss, state: { w1: nextW1, w2: nextW2, m1, m2, v1, v2 } };
  });
  let state = {
    w1,
    w2,
    ...Object.fromEntries(
      Object.entries({ m1: w1, v1: w1, m2: w2, v2: w2 }).map(([name, { shape }]) => [name, np.zeros(shape)]),
    ),
  } as Untyped;
  let steps = 0;
  const run = () => {
    steps++;
    const [first, second] = [beta1, beta2].map((beta) => np.array(1 / (1 - beta ** steps)));
    const { loss, state: next } = update(state, x.ref, y.ref, first, second);
    state = next;
    return loss;
  };
  return {
    async output() {
      const loss = run();
      return [(await loss.data())[0], ...(await state.w2.ref.data())];
    },
    async time(repeats) {
      const losses: Untyped[] = [];
      const seconds = await secondsEach(repeats, async () => {
        for (let i = 0; i < repeats; i++) losses.push(run());
        await jax.blockUntilReady([losses, state]);
      });
      for (const loss of losses) loss.dispose();
      return seconds;
    },
    dispose() {
      for (const array of [x, y, ...Object.values<Untyped>(state)]) array.dispose();
    },
  };
}
