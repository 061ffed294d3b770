// Gradient of mse.wgsl for a: scale · (a − b) · gradient[i / width].
// One lane an element.
// Bindings: a, b [count], gradient [⌈count / width⌉] (read), out [count] (written).

struct Params { count: u32, width: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i < params.count) { out[i] = params.scale * (a[i] - b[i]) * gradient[i / params.width]; }
}
