/** Writes models in ONNX's format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), as far as a chain of operators needs it. */
import type { Operand } from "./tasks.ts";

/** One operator; attributes are whole numbers (`i`), lists of them, or floats (`f`). */
export interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, { readonly i: number } | { readonly f: number }>>;
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** Float inputs and outputs by name, with their shapes. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** Constants: float32, or a list of int64. */
  readonly constants: Readonly<Record<string, Operand | readonly number[]>>;
}

/** Numbers of the format's types of data. */
const [FLOAT, INT64] = [1, 7];
/** Numbers of its types of attributes. */
const attributeTypes = { f: 1, i: 2 };

/** The bytes of a model with this graph. */
export function onnxModel({ nodes, inputs, outputs, constants }: Graph): Uint8Array {
  const graph = [
    ...nodes.map((node) => field(1, nodeOf(node))),
    field(2, text("chain")),
    ...Object.entries(constants).map(([name, value]) => field(5, constantOf(name, value))),
    ...Object.entries(inputs).map(([name, shape]) => field(11, infoOf(name, shape))),
    ...Object.entries(outputs).map(([name, shape]) => field(12, infoOf(name, shape))),
  ];
  return join([number(1, 8), field(7, join(graph)), field(8, join([field(1, text("")), number(2, 17)]))]);
}

function nodeOf({ type, inputs, output, attributes = {} }: Node): Uint8Array {
  return join([
    ...inputs.map((name) => field(1, text(name))),
    field(2, text(output)),
    field(3, text(`${type} ${output}`)),
    field(4, text(type)),
    ...Object.entries(attributes).map(([name, value]) => {
      const [key, content] = "f" in value ? ["f" as const, float(2, value.f)] : ["i" as const, number(3, value.i)];
      return field(5, join([field(1, text(name)), content, number(20, attributeTypes[key])]));
    }),
  ]);
}

function constantOf(name: string, value: Operand | readonly number[]): Uint8Array {
  const whole = !("shape" in value);
  const shape = whole ? [value.length] : value.shape;
  const data = whole ? BigInt64Array.from(value, BigInt) : value.values;
  return join([
    ...shape.map((dim) => number(1, dim)),
    number(2, whole ? INT64! : FLOAT!),
    field(8, text(name)),
    field(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

function infoOf(name: string, shape: readonly number[]): Uint8Array {
  const dims = join(shape.map((dim) => field(1, number(1, dim))));
  return join([field(1, text(name)), field(2, field(1, join([number(1, FLOAT!), field(2, dims)])))]);
}

const text = (value: string) => new TextEncoder().encode(value);

/** A message or bytes under a field's number, with their length before them. */
function field(key: number, content: Uint8Array): Uint8Array {
  return join([varint(key * 8 + 2), varint(content.length), content]);
}

function number(key: number, value: number): Uint8Array {
  // Seven bits a byte: a negative number has all of its 64 bits.
  return join([varint(key * 8), varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value)]);
}

function float(key: number, value: number): Uint8Array {
  return join([varint(key * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);
}

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...bytes, Number(rest));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
