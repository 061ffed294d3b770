export { type BackwardOptions, Tape } from "./tape.ts";
