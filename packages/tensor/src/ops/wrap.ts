import type { Ops } from "./ops.ts";

/** Names of the functions of {@link Ops}. */
export type OpsFunction = Exclude<keyof Ops, "records">;

type Call = (...operands: readonly unknown[]) => unknown;

/** An `Ops` over another: each function is replaced by the one that `wrap` makes from its name and from the function itself. */
export function wrapOps(base: Ops, wrap: (name: OpsFunction, call: Call) => Call): Ops {
  const functions = Object.entries(base).filter(([, value]) => typeof value === "function");
  const wrapped = functions.map(([name, call]) => [name, wrap(name as OpsFunction, call as Call)]);
  return { ...base, ...Object.fromEntries(wrapped) };
}
