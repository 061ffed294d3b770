// silu(gate) · up, with silu(g) = g · σ(g) (Shazeer 2020).
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: gate, up (read), out (written); `count` elements.

//! include lib/elements.wgsl
//! include lib/sigmoid.wgsl

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate: array<vec4f>;
@group(0) @binding(2) var<storage, read> up: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) { out[i] = gate[i] * sigmoid(gate[i]) * up[i]; }
}
