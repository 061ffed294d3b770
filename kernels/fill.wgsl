// Fills a buffer with one 32-bit pattern: zeros, a constant, or NaN bits for tests.
// A lane takes vectors of four words (lib/elements.wgsl).
// Bindings: out (written, `count` words).

//! include lib/elements.wgsl

struct Params { count: u32, bits: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = vec4u(params.bits); }
}
