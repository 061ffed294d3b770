// What the attention kernels for subgroups of 4 or 8 lanes share. They hold eight vectors against one vector a lane. Of eight lanes, lane i has
// vector i in `a`. Of four lanes, it has vector i in `a` and vector i + 4 in `b`. On software adapters a broadcast is far cheaper than a load, and
// on SwiftShader, which has four lanes, an exchange within them than a broadcast. So there each lane meets the vectors in an order of its own.

override LANES: u32 = 8u; // of a subgroup, 4 or 8
const VECTORS = 8u; //! define: D/4, the vectors of a row that a lane holds
const TURNS = 0u; //! define: VECTORS where a compiler does not unroll a loop itself, which SwiftShader's does not, else 0
const OWN = 1u; //! define: rows of its own that a lane takes

// The same as the end of a loop. Compilers unroll a loop to a constant, which is faster for short rows and slower for long ones.
fn vectors() -> u32 { return select(params.vectors, VECTORS, VECTORS <= 8u); }

// Which of the first four vectors a lane meets as its four; of the next four it meets them in the same order.
fn places(lane: u32) -> vec4u {
  let four = vec4u(0u, 1u, 2u, 3u);
  if (LANES == 4u) { return four ^ vec4u(lane); }
  return four;
}

// Four vectors of `a` in a lane's order, as columns: x * columns is x · each of them, columns * weights their sum by weights.
fn first_four(a: vec4f) -> mat4x4f {
  if (LANES == 4u) { return mat4x4f(a, quadSwapX(a), quadSwapY(a), quadSwapDiagonal(a)); }
  return mat4x4f(subgroupBroadcast(a, 0u), subgroupBroadcast(a, 1u), subgroupBroadcast(a, 2u), subgroupBroadcast(a, 3u));
}

// The next four: of `b` or of `a`.
fn next_four(a: vec4f, b: vec4f) -> mat4x4f {
  if (LANES == 4u) { return first_four(b); }
  return mat4x4f(subgroupBroadcast(a, 4u), subgroupBroadcast(a, 5u), subgroupBroadcast(a, 6u), subgroupBroadcast(a, 7u));
}

// The scalars that go with the first four vectors, and with the next four.
fn spread_low(a: f32) -> vec4f {
  if (LANES == 4u) { return vec4f(a, quadSwapX(a), quadSwapY(a), quadSwapDiagonal(a)); }
  return vec4f(subgroupBroadcast(a, 0u), subgroupBroadcast(a, 1u), subgroupBroadcast(a, 2u), subgroupBroadcast(a, 3u));
}

fn spread_high(a: f32, b: f32) -> vec4f {
  if (LANES == 4u) { return spread_low(b); }
  return vec4f(subgroupBroadcast(a, 4u), subgroupBroadcast(a, 5u), subgroupBroadcast(a, 6u), subgroupBroadcast(a, 7u));
}
