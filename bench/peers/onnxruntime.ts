import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peer, peerVersion, type Untyped } from "./installed.ts";
import { type Node, onnxModel } from "./onnx.ts";
import type { Contender, ContenderWork } from "./peer.ts";
import { causalMask, eps, type Operand, type Task } from "./tasks.ts";

/**
 * The WebGPU provider of onnxruntime-node, which opens its own device on the adapter that it finds. A run takes its input from the host and gives
 * its output back, so a task is timed as the slope of a chain: the time of a graph with several links less that of one with one, over the
 * links between. Both read back one output of the same size.
 */
export async function onnxContender(): Promise<Contender> {
  const ort = peer("onnxruntime-node");
  ort.env.logLevel = "error";
  return { name: "onnxruntime", version: peerVersion("onnxruntime-node")!, prepare: (task) => prepare(ort, task) };
}

/** One link of a chain: operators from `from` to `to`, whose inner values have names that begin with `to`. */
interface Link {
  readonly nodes: (from: string, to: string) => Node[];
  /** What is given to the first link, and what the last one gives. */
  readonly input: Operand;
  readonly output: readonly number[];
  readonly constants: Readonly<Record<string, Operand | readonly number[]>>;
  /** Between two links, where the output is no input as it is. */
  readonly between?: (from: string, to: string) => Node;
}

async function prepare(ort: Untyped, task: Task): Promise<ContenderWork | null> {
  const link = linkOf(task);
  if (!link) return null;
  // A chain so long that the difference is far above the noise of the host's copies.
  const length = task.amount > 1e9 ? 3 : task.amount > 1e7 ? 5 : 13;
  const feeds = { x: new ort.Tensor("float32", link.input.values, link.input.shape) };
  const folder = mkdtempSync(join(tmpdir(), "lethe-onnx-"));
  // Threads of its own would spin on the cores that a software adapter computes on, also in the others' turns.
  const threads = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const open = (links: number, options = {}) =>
    ort.InferenceSession.create(chain(link, links), {
      executionProviders: ["webgpu"],
      logSeverityLevel: 3,
      ...threads,
      ...options,
    });
  const [one, many, counted] = [
    await open(1),
    await open(length),
    await open(1, { enableProfiling: true, profileFilePrefix: join(folder, "profile") }),
  ];
  const run = async (session: Untyped) => (await session.run(feeds)).y.data as Float32Array;
  const timed = async (session: Untyped, repeats: number) => {
    const start = performance.now();
    for (let i = 0; i < repeats; i++) await run(session);
    return (performance.now() - start) / 1000 / repeats;
  };
  try {
    await run(counted);
    counted.endProfiling();
    const dispatches = nodesOnDevice(folder);
    await checkChain(ort, link, one, many, length);
    return {
      dispatches,
      output: async () => inOrder(task, await run(one)),
      time: async (repeats) => ((await timed(many, repeats)) - (await timed(one, repeats))) / (length - 1),
      dispose: () => Promise.all([one, many].map((session) => session.release())).then(() => {}),
    };
  } finally {
    await counted.release();
    rmSync(folder, { recursive: true });
  }
}

/** The model of some links, each fed by the one before. */
function chain({ nodes, between, input, output, constants }: Link, links: number): Uint8Array {
  const all = Array.from({ length: links }, (_, i) => {
    const [from, to] = [i === 0 ? "x" : between ? `x${i}` : `y${i}`, i === links - 1 ? "y" : `y${i + 1}`];
    return [...(i > 0 && between ? [between(`y${i}`, from)] : []), ...nodes(from, to)];
  });
  return onnxModel({ nodes: all.flat(), inputs: { x: input.shape }, outputs: { y: output }, constants });
}

/** Checks that a chain gives what its links give one after the other: that none was left out. */
async function checkChain(ort: Untyped, link: Link, one: Untyped, many: Untyped, length: number): Promise<void> {
  let x = link.input;
  for (let i = 0; i < length - 1; i++) {
    const { data } = (await one.run({ x: new ort.Tensor("float32", x.values, x.shape) })).y;
    x = { shape: x.shape, values: link.between ? data.slice(0, x.values.length) : data };
    if (link.between) x = firstColumns(data, link.output, x.shape);
  }
  const feed = (values: Float32Array) => ({ x: new ort.Tensor("float32", values, link.input.shape) });
  const [stepped, whole] = [(await one.run(feed(x.values))).y.data, (await many.run(feed(link.input.values))).y.data];
  const worst = whole.reduce(
    (most: number, value: number, i: number) => Math.max(most, Math.abs(value - stepped[i])),
    0,
  );
  if (!(worst < 1e-4)) throw new Error(`gave a wrong output: a chain of ${length} is off by ${worst}`);
}

function firstColumns(values: Float32Array, [, wide = 1]: readonly number[], shape: readonly number[]): Operand {
  const width = shape[1]!;
  const pick = (_: unknown, i: number) => values[Math.floor(i / width) * wide + (i % width)]!;
  return { shape, values: Float32Array.from({ length: shape[0]! * width }, pick) };
}

/** The operators that the profile of one run counts, all of which must have run on the device. */
function nodesOnDevice(folder: string): number {
  const file = readdirSync(folder).find((name) => name.endsWith(".json"))!;
  const events = JSON.parse(readFileSync(join(folder, file), "utf8")) as Untyped[];
  const nodes = events.filter(({ cat, name }) => cat === "Node" && name.endsWith("kernel_time"));
  const elsewhere = nodes.filter(({ args }) => args.provider !== "WebGpuExecutionProvider");
  if (elsewhere.length > 0) throw new Error(`ran on the CPU: ${elsewhere.map(({ args }) => args.op_name).join(", ")}`);
  return nodes.length;
}

/** Heads are first in the graph of attention; everywhere else they are after the positions. */
function headsFirst({ values, shape: [length = 0, heads = 0, width = 0] }: Operand): Operand {
  const from = (i: number) =>
    (Math.floor(i / width) % length) * heads * width + Math.floor(i / (length * width)) * width + (i % width);
  return { shape: [heads, length, width], values: values.map((_, i) => values[from(i)]!) };
}

function inOrder({ kind, operands }: Task, output: Float32Array): Float32Array {
  if (kind !== "attention") return output;
  const [length = 0, heads = 0, width = 0] = operands.q!.shape;
  // The same permutation, seen from the other side.
  return headsFirst({ values: output, shape: [heads, length, width] }).values;
}

function linkOf({ kind, operands }: Task): Link | null {
  const { a, b, x, weight, gate, up, q, k, v } = operands;
  const op = (type: string, inputs: string[], output: string, attributes = {}): Node => ({
    type,
    inputs,
    output,
    attributes,
  });
  if (kind === "matmul") {
    const [[m = 0, inner = 0], n] = [a!.shape, b!.shape[1]!];
    const columns = { first: [0], last: [inner], axis: [1] };
    return {
      input: a!,
      output: [m, n],
      constants: { b: b!, ...(n !== inner && columns) },
      nodes: (from, to) => [op("MatMul", [from, "b"], to)],
      ...(n !== inner && { between: (from: string, to: string) => op("Slice", [from, "first", "last", "axis"], to) }),
    };
  }
  if (kind === "rms_norm")
    return {
      input: x!,
      output: x!.shape,
      constants: { weight: weight! },
      nodes: (from, to) => [
        op("SimplifiedLayerNormalization", [from, "weight"], to, { axis: { i: -1 }, epsilon: { f: eps } }),
      ],
    };
  if (kind === "swiglu")
    return {
      input: gate!,
      output: gate!.shape,
      constants: { up: up! },
      nodes: (from, to) => [
        op("Sigmoid", [from], `${to} sigmoid`),
        op("Mul", [from, `${to} sigmoid`], `${to} silu`),
        op("Mul", [`${to} silu`, "up"], to),
      ],
    };
  if (kind === "softmax")
    return {
      input: x!,
      output: x!.shape,
      constants: {},
      nodes: (from, to) => [op("Softmax", [from], to, { axis: { i: -1 } })],
    };
  if (kind === "attention") return attentionLink(q!, k!, v!, op);
  return null;
}

/** Attention by three operators: `MultiHeadAttention` with `unidirectional` is wrong by some hundredths on software adapters. */
function attentionLink(
  q: Operand,
  k: Operand,
  v: Operand,
  op: (type: string, inputs: string[], output: string, attributes?: object) => Node,
): Link {
  const [length = 0, heads = 0, width = 0] = q.shape;
  const keys = headsFirst(k).values;
  const transposed = (i: number) =>
    Math.floor(i / (length * width)) * length * width + (i % length) * width + (Math.floor(i / length) % width);
  return {
    input: headsFirst(q),
    output: [heads, length, width],
    constants: {
      k: { shape: [heads, width, length], values: keys.map((_, i) => keys[transposed(i)]!) },
      v: headsFirst(v),
      mask: { shape: [length, length], values: causalMask(length) },
      scale: { shape: [1], values: Float32Array.of(1 / Math.sqrt(width)) },
    },
    nodes: (from, to) => [
      op("Mul", [from, "scale"], `${to} scaled`),
      op("MatMul", [`${to} scaled`, "k"], `${to} scores`),
      op("Add", [`${to} scores`, "mask"], `${to} masked`),
      op("Softmax", [`${to} masked`], `${to} pattern`, { axis: { i: -1 } }),
      op("MatMul", [`${to} pattern`, "v"], to),
    ],
  };
}
