// Random numbers from a counter (lib/philox.wgsl): element i depends on the seed and i alone.
// NORMAL: mean + std · z, z by Box & Muller (1958), |z| < 5.8. Otherwise uniform in [low, high), 24 bits.
// A lane takes vectors of four elements (lib/elements.wgsl): one block of the generator each.
// Bindings: out (written, `count` elements from element `first` · 4 of the stream).

//! include lib/elements.wgsl
//! include lib/philox.wgsl

override NORMAL: bool = false;

struct Params { count: u32, first: u32, seed_low: u32, seed_high: u32, base: f32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

fn numbers(block: u32) -> vec4f {
  let bits = philox(vec4u(params.first + block, 0u, 0u, 0u), vec2u(params.seed_low, params.seed_high));
  let uniform4 = vec4f(bits >> vec4u(8u)) * 0x1p-24;
  if (!NORMAL) { return uniform4; }
  // 1 − u lies in (0, 1]; the logarithm of 1 may come out slightly above 0.
  let radius = sqrt(max(-2.0 * log(1.0 - uniform4.xz), vec2f(0.0)));
  let angle = 6.2831853 * uniform4.yw;
  return vec4f(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = params.base + params.scale * numbers(i); }
}
