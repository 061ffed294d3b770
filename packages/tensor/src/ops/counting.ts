import type { Ops } from "./ops.ts";
import { type OpsFunction, wrapOps } from "./wrap.ts";

/** Calls so far, by name. A function that was not called is not in it. */
export type Counts = Map<OpsFunction, number>;

/** An `Ops` over another that counts its calls in `counts`. */
export function countCalls(base: Ops, counts: Counts): Ops {
  return wrapOps(base, (name, call) => (...operands) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return call(...operands);
  });
}
