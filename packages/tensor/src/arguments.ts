import { ArgumentError } from "./errors.ts";

/** What an argument, or one option, of a public function must be. */
export interface Kind {
  /** The values that are accepted, for messages: "a finite number". */
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
  /** The argument may be left out. */
  readonly optional?: boolean;
  /** The names that are accepted: choices of an option, or dtypes of a tensor. */
  readonly choices?: readonly string[];
  /** For an object of options: what each option must be. */
  readonly fields?: Signature;
}

/** The arguments of a function by their names, in their order. */
export type Signature = Readonly<Record<string, Kind>>;

/**
 * Makes the check of a function's arguments. TypeScript finds these mistakes when it compiles; this check finds them for callers from
 * JavaScript, or with `any`, before anything reaches the device.
 * @returns a function that throws an {@link ArgumentError} for arguments that the signature does not accept
 */
export function checkerOf(operation: string, signature: Signature): (given: ArrayLike<unknown>) => void {
  const names = Object.keys(signature);
  const kinds = Object.values(signature);
  return (given) => {
    for (let i = 0; i < kinds.length; i++) check(operation, names[i]!, kinds[i]!, given[i]);
    if (kinds.length === 1 && isByArrayMethod(given)) return;
    for (let i = kinds.length; i < given.length; i++)
      if (given[i] !== undefined)
        throw new ArgumentError(
          `${operation}: argument ${i + 1} is ${showValue(given[i])}; expected no more than ${names.length} (${names.join(", ")})`,
        );
  };
}

/** Whether these are the arguments with which `map` and its like call a function: an element, its index and the array. */
function isByArrayMethod({ length, 0: element, 1: index, 2: array }: ArrayLike<unknown>): boolean {
  return length === 3 && Array.isArray(array) && array[index as number] === element;
}

function check(operation: string, name: string, { accepts, optional, wanted, fields }: Kind, value: unknown): void {
  if (value === undefined && optional) return;
  if (!accepts(value)) throw new ArgumentError(`${operation}: ${name} is ${showValue(value)}; expected ${wanted}`);
  if (!fields) return;
  const options = value as Readonly<Record<string, unknown>>;
  for (const option in options)
    if (!Object.hasOwn(fields, option))
      throw new ArgumentError(`${operation}: ${name}.${option} is not an option; expected ${wanted}`);
  for (const option in fields) check(operation, `${name}.${option}`, fields[option]!, options[option]);
}

/** A value in a few words, for messages. */
export function showValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value))
    return value.length <= 8 ? `[${value.map(showValue).join(", ")}]` : `an array of ${value.length} elements`;
  if ("dtype" in value && "shape" in value) return `${withArticle(`${value.dtype}`)} tensor ${showValue(value.shape)}`;
  return withArticle(value.constructor?.name ?? "Object");
}

/** A name with "a" or "an" before it, as it is read aloud: an f32, a u32, an Object. */
export function withArticle(name: string): string {
  return `${/^([AEIO]|[aefi]\d*)/.test(name) ? "an" : "a"} ${name}`;
}

export const finite: Kind = { wanted: "a finite number", accepts: Number.isFinite };
export const notNegative: Kind = {
  wanted: "a finite number of at least 0",
  accepts: (value) => Number.isFinite(value) && (value as number) >= 0,
};
export const positive: Kind = {
  wanted: "a finite number above 0",
  accepts: (value) => Number.isFinite(value) && (value as number) > 0,
};
export const anyNumber: Kind = { wanted: "a number", accepts: (value) => typeof value === "number" };
export const flag: Kind = { wanted: "true or false", accepts: (value) => typeof value === "boolean" };
export const text: Kind = { wanted: "a string", accepts: (value) => typeof value === "string" };
export const callable: Kind = { wanted: "a function", accepts: (value) => typeof value === "function" };
/** An object of any class. Where only its own functions can tell what it is, this is all that is checked. */
export const anyObject: Kind = { wanted: "an object", accepts: (value) => typeof value === "object" && value !== null };
export const list: Kind = { wanted: "an array", accepts: Array.isArray };
export const iterable: Kind = {
  wanted: "an array, or anything else that can be iterated",
  accepts: (value) =>
    anyObject.accepts(value) && (Symbol.iterator in (value as object) || Symbol.asyncIterator in (value as object)),
};
export const wholeNumber: Kind = { wanted: "a whole number", accepts: Number.isSafeInteger };
export const wholeNumbers: Kind = {
  wanted: "an array of whole numbers",
  accepts: (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
};
export const shapeKind: Kind = {
  wanted: "a shape, an array of whole numbers of at least 0",
  accepts: (value) => Array.isArray(value) && value.every((dim) => Number.isSafeInteger(dim) && dim >= 0),
};
export const numbers: Kind = {
  wanted: "an array of numbers, or a typed array",
  accepts: (value) =>
    typeof value === "object" && value !== null && "length" in value && Number.isInteger(value.length),
};

export function atLeast(least: number): Kind {
  return {
    wanted: `a whole number of at least ${least}`,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= least,
  };
}

export function oneOf(choices: readonly string[]): Kind {
  return { wanted: `one of ${choices.join(", ")}`, accepts: (value) => choices.includes(value as string), choices };
}

export function instanceOf(type: new (...given: never[]) => object): Kind {
  return { wanted: withArticle(type.name), accepts: (value) => value instanceof type };
}

export function listOf(kind: Kind): Kind {
  return {
    wanted: `an array, and each element ${kind.wanted}`,
    accepts: (value) => Array.isArray(value) && value.every((element) => suits(kind, element)),
  };
}

function suits({ accepts, optional, fields = {} }: Kind, value: unknown): boolean {
  if (value === undefined && optional) return true;
  const options = value as Readonly<Record<string, unknown>>;
  return accepts(value) && Object.entries(fields).every(([name, field]) => suits(field, options[name]));
}

export function optional(kind: Kind): Kind {
  return { ...kind, optional: true };
}

export function orNull(kind: Kind): Kind {
  return { ...kind, wanted: `${kind.wanted} or null`, accepts: (value) => value === null || kind.accepts(value) };
}

/** An object of options. It may be left out when each of its options may be. */
export function options(fields: Signature): Kind {
  return {
    wanted: `an object of ${Object.keys(fields).join(", ")}`,
    accepts: (value) => typeof value === "object" && value !== null && isPlain(value),
    optional: Object.values(fields).every((field) => field.optional),
    fields,
  };
}

/** An object literal: no array, tensor, device or map. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
