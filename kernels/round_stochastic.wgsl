// Stochastic rounding of f32 to bf16: of the two bf16 around x, the one further from 0 with probability low / 2¹⁶, where `low` are the 16 bits
// that bf16 drops, else the one nearer to 0. So the mean over the draws is x, exactly. A number of 16 random bits is added to the bits of x, and
// the lower half dropped: a carry into the exponent is right, and subnormals need no care.
// What lies above the largest finite bf16 is rounded to nearest, because no mean with an infinity in it is finite. NaN and infinities stay.
// A lane takes vectors of eight elements (TURNS of them, lib/elements.wgsl): one block of the generator each (lib/philox.wgsl), whose counter is
// (vector, step, 1). The 1 keeps it apart from random.wgsl.
// Bindings: x (read), out (written, packed two to a word); `count` elements, which begin at vector `first` of the stream.

//! include lib/elements.wgsl
//! include lib/philox.wgsl

struct Params { count: u32, first: u32, seed_low: u32, seed_high: u32, step_low: u32, step_high: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4u>;

// Two words of four bf16 from the bits of four f32.
fn rounded(bits: vec4u, random: vec2u) -> vec2u {
  let magnitude = bits & vec4u(0x7fffffffu);
  var noise = vec4u(random.x & 0xffffu, random.x >> 16u, random.y & 0xffffu, random.y >> 16u);
  // Above the largest finite bf16, whose last bit is 1, a tie rounds to even by adding half.
  noise = select(noise, vec4u(0x8000u), magnitude >= vec4u(0x7f7f0000u));
  let halves = select((bits + noise) >> vec4u(16u), (bits >> vec4u(16u)) | vec4u(0x40u), magnitude > vec4u(0x7f800000u));
  return halves.xz | (halves.yw << vec2u(16u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let last = vectors_of(params.count) - 1u;
  let span = span_of(group, groups, last / 2u + 1u);
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let counter = vec4u(params.first + i, params.step_low, params.step_high, 1u);
    let random = philox(counter, vec2u(params.seed_low, params.seed_high));
    out[i] = vec4u(rounded(x[2u * i], random.xy), rounded(x[min(2u * i + 1u, last)], random.zw));
  }
}
