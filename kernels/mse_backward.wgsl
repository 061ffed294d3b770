// Gradient of mse.wgsl for a: scale · (a − b) · gradient[i / width].
// A lane takes items (lib/items.wgsl, lib/elements.wgsl).
// Bindings: a, b [count], gradient [⌈count / width⌉] (read), out [count] (written).

//! include lib/elements.wgsl
//! include lib/items.wgsl

struct Params { count: u32, width: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Item>;
@group(0) @binding(2) var<storage, read> b: array<Item>;
@group(0) @binding(3) var<storage, read> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, params.count / WIDE);
  for (var i = span.x + lane; i < span.y; i += 64u) {
    out[i] = params.scale * (a[i] - b[i]) * gradient[i * WIDE / params.width];
  }
}
