/** With which the packages above this one check the arguments of their own functions, and wait for what may be stopped. */
export { unlessAborted } from "./abort.ts";
export * from "./arguments.ts";
export { anyFloat, checked, checkedAsync, f32, signatureOf } from "./ops/checked.ts";
