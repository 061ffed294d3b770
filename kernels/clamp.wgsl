// out = min(max(x, low), high); NaN stays NaN.
// One lane four neighbouring elements.
// Bindings: x (read), out (written); `count` elements.

//! include lib/nan.wgsl

struct Params { count: u32, low: f32, high: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i * 4u < params.count) { out[i] = keep_nans(clamp(x[i], vec4f(params.low), vec4f(params.high)), x[i]); }
}
