import { ArgumentError, type Device, type DType } from "@lethe/tensor";
import { type Kind, type Signature, signatureOf } from "@lethe/tensor/checked";
import { expect } from "vitest";

export type Operation = (...given: unknown[]) => unknown;

/** The functions that a module exports, by name, without classes and without those named. */
export function functionsIn(module: object, without: readonly string[] = []): [string, Operation][] {
  const isClass = (value: unknown) => /^class\b/.test(String(value));
  return Object.entries(module).filter(
    ([name, value]) => typeof value === "function" && !isClass(value) && !without.includes(name),
  );
}

const dtypes: readonly DType[] = ["f32", "f16", "bf16", "i32", "u32"];

/** Values of every kind. An argument accepts few of them. */
export function valuesOn(device: Device): unknown[] {
  return [
    ...[undefined, null, true, 0, 1, 3, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 1n, "", "sinh", Symbol("s")],
    ...[[], [1], [2, 2], [2, -1], [0.5], [undefined], ["a"], [[1]], new Float32Array(2), {}, { nope: 1 }, new Map()],
    ...[() => 1, ...dtypes.map((dtype) => device.lasting([2, 2], dtype, dtype)), device],
  ];
}

/**
 * Calls a function with every wrong value for each argument and each option.
 * @param values among which a right one is found for each argument that must be given
 * @throws where one is accepted, or refused by another error than an ArgumentError that names the argument
 */
export async function expectRefusals(name: string, operation: Operation, values: readonly unknown[]): Promise<void> {
  const signature = signatureOf(operation);
  expect(signature, `${name} has a signature`).toBeDefined();
  const right = Object.values(signature!).map((kind) => valid(kind, values));
  for (const [i, [argument, kind]] of Object.entries(signature!).entries())
    for (const { value, named } of faults(argument, kind, values))
      await expectRefusal(operation, right.with(i, value), `${name}: ${named} is `);
  await expectRefusal(operation, [...right, 1], `${name}: argument ${right.length + 1} is 1`);
}

/** A value that an argument accepts; for options, an object of all of them. */
function valid({ fields, choices = [], accepts }: Kind, values: readonly unknown[]): unknown {
  if (!fields) return [...values, ...choices].find((value) => accepts(value));
  return objectOf(fields, values);
}

function objectOf(fields: Signature, values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valid(field, values)]));
}

/** Wrong values for one argument, with the name that the error must contain. */
function faults(name: string, kind: Kind, values: readonly unknown[]): { value: unknown; named: string }[] {
  const wrong = values.filter((value) => !kind.accepts(value) && !(value === undefined && kind.optional));
  const given = wrong.map((value) => ({ value, named: name }));
  if (!kind.fields) return given;
  const options = objectOf(kind.fields, values);
  const inside = Object.entries(kind.fields).flatMap(([field, fieldKind]) =>
    faults(`${name}.${field}`, fieldKind, values).map(({ value, named }) => {
      return { value: { ...options, [field]: value }, named };
    }),
  );
  return [...given, { value: { ...options, nope: 1 }, named: `${name}.nope` }, ...inside];
}

async function expectRefusal(operation: Operation, given: unknown[], start: string): Promise<void> {
  let error: unknown;
  try {
    await operation(...given);
  } catch (thrown) {
    error = thrown;
  }
  expect(error, `${start}: ${String(given.map(String))}`).toBeInstanceOf(ArgumentError);
  expect((error as Error).message.startsWith(start), `${(error as Error).message}, expected ${start} …`).toBe(true);
  expect((error as Error).message).toContain("; expected ");
}
