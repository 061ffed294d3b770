// Gradient of clamp.wgsl: gradient where low ≤ x ≤ high, else 0; NaN where x is NaN.
// One lane four neighbouring elements.
// Bindings: x, gradient (read), out (written); `count` elements.

//! include lib/nan.wgsl

struct Params { count: u32, low: f32, high: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i * 4u >= params.count) { return; }
  let inside = (x[i] >= vec4f(params.low)) & (x[i] <= vec4f(params.high));
  out[i] = keep_nans(select(vec4f(0.0), gradient[i], inside), x[i]);
}
