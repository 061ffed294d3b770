export { type Captured, Captures, type Selection, type TensorSource } from "./captures.ts";
export { HookError } from "./errors.ts";
export type { Held, Span } from "./held.ts";
export { type Edit, type EditContext, type Hook, Hooks, type Where } from "./hooks.ts";
export { type HookPoint, type PointSelector, parsePoint, pointAt, pointsOf, selectPoints } from "./points.ts";
export { HookSession, type Run } from "./session.ts";
export { type Site, type SiteDescription, siteNames, sites } from "./sites.ts";
