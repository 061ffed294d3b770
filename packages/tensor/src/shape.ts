import { ShapeError } from "./errors.ts";

/** Dimensions, outermost first. `[]` is a scalar. A dimension typed `number` is checked at run time instead of by the compiler. */
export type Shape = readonly number[];

/** Makes a call fail to compile with a readable reason: where an argument's type is intersected with this, no argument fits. */
export interface ShapeMismatch<Reason extends string> {
  readonly "shapes do not fit": Reason;
}

type IsLiteral<N extends number> = number extends N ? false : true;

/** `true` unless both are literals that differ. */
type SameDim<A extends number, B extends number> =
  IsLiteral<A> extends true ? (IsLiteral<B> extends true ? (A extends B ? true : false) : true) : true;

/** Last dimension of a shape. */
export type Last<S extends Shape> = S extends readonly [...Shape, infer L extends number] ? L : number;

/** Every dimension but the last. */
export type Leading<S extends Shape> = S extends readonly [...infer L extends Shape, number] ? L : Shape;

type SecondLast<S extends Shape> = Last<Leading<S>>;

/** Swaps the last two dimensions when `T` is true. */
export type Transposed<S extends Shape, T extends boolean> = T extends true
  ? number extends S["length"]
    ? Shape
    : [...Leading<Leading<S>>, Last<S>, SecondLast<S>]
  : S;

/** Shape of `a @ b` for operands already oriented as `[…, M, K]` and `[…, K, N]`. */
export type MatmulShape<A extends Shape, B extends Shape> = number extends A["length"]
  ? Shape
  : [...Leading<A>, Last<B>];

/** `unknown` when the inner dimensions agree; otherwise a type nothing can be assigned to. */
export type MatmulFits<A extends Shape, B extends Shape> =
  SameDim<Last<A>, SecondLast<B>> extends true
    ? unknown
    : ShapeMismatch<`matmul: inner dimensions ${Last<A>} and ${SecondLast<B>} differ`>;

/** Shape of `x Wᵀ` for `x` of `[…, K]` and a weight of `[N, K]`. */
export type LinearShape<X extends Shape, W extends Shape> = number extends X["length"]
  ? Shape
  : [...Leading<X>, W extends readonly [infer N extends number, number] ? N : number];

export type LinearFits<X extends Shape, W extends Shape> =
  SameDim<Last<X>, Last<W>> extends true
    ? unknown
    : ShapeMismatch<`linear: input width ${Last<X>} and weight width ${Last<W>} differ`>;

type BroadcastDim<A extends number, B extends number> = A extends 1
  ? B
  : B extends 1
    ? A
    : IsLiteral<A> extends true
      ? SameDim<A, B> extends true
        ? A
        : never
      : B;

/** NumPy's broadcasting rule, aligned at the last dimension. A dimension that cannot broadcast becomes `never`. */
export type Broadcast<A extends Shape, B extends Shape> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly []
      ? [...B]
      : B extends readonly []
        ? [...A]
        : [...Broadcast<Leading<A>, Leading<B>>, BroadcastDim<Last<A>, Last<B>>];

type HasNever<S extends Shape> = S extends readonly [infer H, ...infer R extends Shape]
  ? [H] extends [never]
    ? true
    : HasNever<R>
  : false;

export type BroadcastFits<A extends Shape, B extends Shape> =
  HasNever<Broadcast<A, B>> extends true ? ShapeMismatch<"these shapes do not broadcast together"> : unknown;

type AllDimsFit<A extends Shape, B extends Shape> = A extends readonly [
  infer X extends number,
  ...infer RestA extends Shape,
]
  ? B extends readonly [infer Y extends number, ...infer RestB extends Shape]
    ? SameDim<X, Y> extends true
      ? AllDimsFit<RestA, RestB>
      : false
    : true
  : true;

/** `unknown` when two shapes could be equal. */
export type SameShape<A extends Shape, B extends Shape> = number extends A["length"]
  ? unknown
  : number extends B["length"]
    ? unknown
    : A["length"] extends B["length"]
      ? AllDimsFit<A, B> extends true
        ? unknown
        : ShapeMismatch<"the shapes differ">
      : ShapeMismatch<"the shapes have different numbers of dimensions">;

/** What is left of a reduced axis: a 1 when its dimension is kept. */
type Kept<K extends boolean> = K extends true ? [1] : [];

type ReducedAt<S extends Shape, A extends number, K extends boolean, Before extends Shape = []> = S extends readonly [
  infer H extends number,
  ...infer R extends Shape,
]
  ? Before["length"] extends A
    ? [...Before, ...Kept<K>, ...R]
    : ReducedAt<R, A, K, [...Before, H]>
  : Shape;

/** As {@link ReducedAt}, for an axis counted from the end, 1 being the last. */
type ReducedFromEnd<
  S extends Shape,
  A extends number,
  K extends boolean,
  After extends Shape = [],
> = S extends readonly [...infer R extends Shape, infer L extends number]
  ? [L, ...After]["length"] extends A
    ? [...R, ...Kept<K>, ...After]
    : ReducedFromEnd<R, A, K, [L, ...After]>
  : Shape;

/** A shape once an axis, or every axis where none is named, is reduced: dropped, or of length 1 when `K` is true. */
export type Reduced<S extends Shape, A extends number | undefined, K extends boolean> = boolean extends K
  ? Shape
  : A extends number
    ? IsLiteral<A> extends true
      ? `${A}` extends `-${infer FromEnd extends number}`
        ? ReducedFromEnd<S, FromEnd, K>
        : ReducedAt<S, A, K>
      : Shape
    : K extends true
      ? { [I in keyof S]: 1 }
      : [];

/** Number of elements in a shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** `[2, 3, 64]`, for messages. */
export function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * NumPy's broadcast of two shapes.
 * @throws {ShapeError} naming the first dimension that does not fit.
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(`${operation}: shapes ${show(a)} and ${show(b)} do not broadcast: ${x} against ${y}`);
    return x === 1 ? y : x;
  });
}
