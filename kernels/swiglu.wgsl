// silu(gate) · up, with silu(g) = g · σ(g) (Shazeer 2020).
// One lane four neighbouring elements.
// Bindings: gate, up (read), out (written); `count` elements.

//! include lib/sigmoid.wgsl

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate: array<vec4f>;
@group(0) @binding(2) var<storage, read> up: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i * 4u < params.count) { out[i] = gate[i] * sigmoid(gate[i]) * up[i]; }
}
