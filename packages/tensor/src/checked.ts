/** With which the packages above this one check the arguments of their own functions. */
export * from "./arguments.ts";
export { anyFloat, checked, checkedAsync, f32, signatureOf } from "./ops/checked.ts";
