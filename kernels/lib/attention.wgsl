// What every attention kernel is told, and the numbers they share.

struct Params { batch: u32, queries: u32, capacity: u32, length: u32, heads: u32, groups: u32, vectors: u32, padded: u32, scale: f32 }

// Below every score, and far enough from −∞ that differences stay finite.
const LOWEST = -1e30;
const LOG2E = 1.4426950408889634;
