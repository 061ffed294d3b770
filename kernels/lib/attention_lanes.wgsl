// What the attention kernels for subgroups of 4 or 8 lanes share. They hold eight vectors against one vector a lane: lane i has
// vector i in `a` and, where there are four lanes, vector i + 4 in `b`. On software adapters a broadcast is far cheaper than a load.

override LANES: u32 = 8u; // of a subgroup, 4 or 8
const VECTORS = 8u; //! define: D/4, the vectors of a row that a lane holds

// The same as the end of a loop. Compilers unroll a loop to a constant, which is faster for short rows and slower for long ones.
fn vectors() -> u32 { return select(params.vectors, VECTORS, VECTORS <= 8u); }

// x · vector i, for i = 0 … 3.
fn dots_low(x: vec4f, a: vec4f) -> vec4f {
  return vec4f(
    dot(x, subgroupBroadcast(a, 0u)), dot(x, subgroupBroadcast(a, 1u)),
    dot(x, subgroupBroadcast(a, 2u)), dot(x, subgroupBroadcast(a, 3u)));
}

// x · vector i, for i = 4 … 7.
fn dots_high(x: vec4f, a: vec4f, b: vec4f) -> vec4f {
  if (LANES == 4u) { return dots_low(x, b); }
  return vec4f(
    dot(x, subgroupBroadcast(a, 4u)), dot(x, subgroupBroadcast(a, 5u)),
    dot(x, subgroupBroadcast(a, 6u)), dot(x, subgroupBroadcast(a, 7u)));
}

// Sum of weight i times vector i, for i = 0 … 3.
fn mix_low(weight: vec4f, a: vec4f) -> vec4f {
  return weight.x * subgroupBroadcast(a, 0u) + weight.y * subgroupBroadcast(a, 1u) +
    weight.z * subgroupBroadcast(a, 2u) + weight.w * subgroupBroadcast(a, 3u);
}

// Sum of weight i times vector i, for i = 4 … 7.
fn mix_high(weight: vec4f, a: vec4f, b: vec4f) -> vec4f {
  if (LANES == 4u) { return mix_low(weight, b); }
  return weight.x * subgroupBroadcast(a, 4u) + weight.y * subgroupBroadcast(a, 5u) +
    weight.z * subgroupBroadcast(a, 6u) + weight.w * subgroupBroadcast(a, 7u);
}

// The scalars that go with vectors 0 … 3, and with vectors 4 … 7.
fn spread_low(a: f32) -> vec4f {
  return vec4f(subgroupBroadcast(a, 0u), subgroupBroadcast(a, 1u), subgroupBroadcast(a, 2u), subgroupBroadcast(a, 3u));
}

fn spread_high(a: f32, b: f32) -> vec4f {
  if (LANES == 4u) { return spread_low(b); }
  return vec4f(subgroupBroadcast(a, 4u), subgroupBroadcast(a, 5u), subgroupBroadcast(a, 6u), subgroupBroadcast(a, 7u));
}
