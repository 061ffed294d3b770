// Changes the stored floating-point type, rounding to nearest, ties to even. Bits are dropped by whole-number arithmetic, because
// WGSL leaves the rounding of its own conversions open.
// One lane two neighbouring elements: a word of packed halves.
// Bindings: x (read), out (written); `count` elements.

override FROM: u32 = 0u; // 0 f32, 1 f16, 2 bf16
override TO: u32 = 2u;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

// Bits of the f16 nearest to the float with these bits; too large becomes infinity.
fn to_f16(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x47800000u) { return sign | 0x7c00u; }
  if (magnitude < 0x33000000u) { return sign; }
  // `drop` counts the bits to drop: 13, and one more for each binary order below the smallest normal f16. Adding just under half of
  // the last bit kept, or exactly half above an odd number, rounds ties to even. A carry moves into the exponent, which is right.
  var kept = magnitude - 0x38000000u;
  var drop = 13u;
  if (magnitude < 0x38800000u) {
    kept = (magnitude & 0x007fffffu) | 0x00800000u;
    drop = 126u - (magnitude >> 23u);
  }
  return sign | ((kept + (1u << (drop - 1u)) - 1u + ((kept >> drop) & 1u)) >> drop);
}

fn to_bf16(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

// Bits of an f16 as those of the f32 of the same value.
fn from_f16(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) { return sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13u); }
  if (magnitude >= 0x0400u) { return sign | ((magnitude << 13u) + 0x38000000u); }
  return sign | bitcast<u32>(f32(magnitude) * 0x1p-24);
}

fn widened(i: u32) -> u32 {
  if (FROM == 0u) { return x[i]; }
  let half = (x[i / 2u] >> (16u * (i & 1u))) & 0xffffu;
  if (FROM == 1u) { return from_f16(half); }
  return half << 16u;
}

fn narrowed(bits: u32) -> u32 {
  if (TO == 1u) { return to_f16(bits); }
  return to_bf16(bits);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pair = (group.x + group.y * groups.x) * 64u + lane;
  let i = pair * 2u;
  if (i >= params.count) { return; }
  let paired = i + 1u < params.count;
  if (TO == 0u) {
    out[i] = widened(i);
    if (paired) { out[i + 1u] = widened(i + 1u); }
    return;
  }
  var word = narrowed(widened(i));
  if (paired) { word |= narrowed(widened(i + 1u)) << 16u; }
  out[pair] = word;
}
