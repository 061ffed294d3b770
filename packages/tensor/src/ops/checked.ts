import { checkerOf, type Kind, type Signature, withArticle } from "../arguments.ts";
import type { DType } from "../dtype.ts";
import { Tensor } from "../tensor.ts";

const signatures = new WeakMap<object, Signature>();

/**
 * An operation whose arguments are checked against a signature each time it is called.
 * @throws {ArgumentError} (the operation) naming the argument, the value that came and what is expected
 */
export function checked<F extends (...given: never[]) => unknown>(name: string, signature: Signature, run: F): F {
  const check = checkerOf(name, signature);
  const operation = (...given: Parameters<F>) => {
    check(given);
    return run(...given);
  };
  signatures.set(operation, signature);
  return operation as F;
}

/** As {@link checked}, for a function that returns a promise: the promise is rejected. */
export function checkedAsync<F extends (...given: never[]) => Promise<unknown>>(
  name: string,
  signature: Signature,
  run: F,
): F {
  const inner = checked(name, signature, run);
  const operation = async (...given: Parameters<F>) => inner(...given);
  signatures.set(operation, signature);
  return operation as F;
}

/** The signature of an operation; undefined for any other value. */
export function signatureOf(operation: object): Signature | undefined {
  return signatures.get(operation);
}

function tensorOf(...dtypes: readonly DType[]): Kind {
  const names = dtypes.length > 1 ? `${dtypes.slice(0, -1).join(", ")} or ${dtypes.at(-1)}` : dtypes.join();
  return {
    wanted: `${withArticle(names)} tensor`,
    accepts: (value) => value instanceof Tensor && dtypes.includes(value.dtype),
    choices: dtypes,
  };
}

export const f32 = tensorOf("f32");
export const bf16 = tensorOf("bf16");
export const u32 = tensorOf("u32");
export const f32OrU32 = tensorOf("f32", "u32");
export const i32 = tensorOf("i32");
/** Weights may be packed. */
export const anyFloat = tensorOf("f32", "f16", "bf16");
