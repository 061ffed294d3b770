import { LetheError } from "@lethe/tensor";

/** A hook names no point, cannot do what it was asked to, or did not run. */
export class HookError extends LetheError {
  override readonly name = "HookError";
}
