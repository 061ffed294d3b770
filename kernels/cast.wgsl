// Changes the stored floating-point type, rounding to nearest, ties to even. Bits are dropped by whole-number arithmetic, because
// WGSL leaves the rounding of its own conversions open.
// A lane takes vectors of four elements (lib/elements.wgsl): four words of f32, or two of packed halves.
// Bindings: x (read), out (written); `count` elements.

//! include lib/elements.wgsl

override FROM: u32 = 0u; // 0 f32, 1 f16, 2 bf16
override TO: u32 = 2u;

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> out: array<vec2u>;

// Bits of the f16 nearest to the floats with these bits; too large becomes infinity.
fn to_f16(bits: vec4u) -> vec4u {
  let magnitude = bits & vec4u(0x7fffffffu);
  // `drop` counts the bits to drop: 13, and one more for each binary order below the smallest normal f16. Adding just under half of
  // the last bit kept, or exactly half above an odd number, rounds ties to even. A carry moves into the exponent, which is right.
  let small = magnitude < vec4u(0x38800000u);
  let kept = select(magnitude - 0x38000000u, (magnitude & vec4u(0x007fffffu)) | vec4u(0x00800000u), small);
  // Below half of the smallest f16, what is kept does not matter.
  let drop = select(vec4u(13u), min(126u - (magnitude >> vec4u(23u)), vec4u(25u)), small);
  var half = (kept + (vec4u(1u) << (drop - 1u)) - 1u + ((kept >> drop) & vec4u(1u))) >> drop;
  half = select(half, vec4u(), magnitude < vec4u(0x33000000u));
  half = select(half, vec4u(0x7c00u), magnitude >= vec4u(0x47800000u));
  half = select(half, vec4u(0x7e00u), magnitude > vec4u(0x7f800000u));
  return ((bits >> vec4u(16u)) & vec4u(0x8000u)) | half;
}

fn to_bf16(bits: vec4u) -> vec4u {
  let rounded = (bits + 0x7fffu + ((bits >> vec4u(16u)) & vec4u(1u))) >> vec4u(16u);
  let is_nan = (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  return select(rounded, (bits >> vec4u(16u)) | vec4u(0x40u), is_nan);
}

// Bits of f16 as those of the f32 of the same values.
fn from_f16(half: vec4u) -> vec4u {
  let magnitude = half & vec4u(0x7fffu);
  var bits = bitcast<vec4u>(vec4f(magnitude) * 0x1p-24);
  bits = select(bits, (magnitude << vec4u(13u)) + 0x38000000u, magnitude >= vec4u(0x0400u));
  bits = select(bits, vec4u(0x7f800000u) | ((magnitude & vec4u(0x3ffu)) << vec4u(13u)), magnitude >= vec4u(0x7c00u));
  return ((half & vec4u(0x8000u)) << vec4u(16u)) | bits;
}

// Bits of the f32 of vector i.
fn widened(i: u32) -> vec4u {
  if (FROM == 0u) { return vec4u(x[2u * i], x[2u * i + 1u]); }
  let words = x[i].xxyy;
  let halves = select(words & vec4u(0xffffu), words >> vec4u(16u), vec4<bool>(false, true, false, true));
  if (FROM == 1u) { return from_f16(halves); }
  return halves << vec4u(16u);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let bits = widened(i);
    if (TO == 0u) {
      out[2u * i] = bits.xy;
      out[2u * i + 1u] = bits.zw;
    } else {
      var halves = to_bf16(bits);
      if (TO == 1u) { halves = to_f16(bits); }
      out[i] = halves.xz | (halves.yw << vec2u(16u));
    }
  }
}
