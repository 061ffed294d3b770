// out = x · factor + offset.
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: x (read), out (written); `count` elements.

//! include lib/elements.wgsl

struct Params { count: u32, factor: f32, offset: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = x[i] * params.factor + params.offset; }
}
