export * from "@lethe/autograd";
export * from "./data/index.ts";
export * from "./methods/index.ts";
export * from "./methods/objectives/index.ts";
export * from "./metrics/index.ts";
export * from "./restoration/index.ts";
