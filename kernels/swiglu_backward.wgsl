// Gradients of silu(gate) · up: ∂gate = g · up · σ(gate) · (1 + gate · (1 − σ(gate))), ∂up = g · silu(gate).
// A lane takes vectors of four elements (lib/elements.wgsl).
// Bindings: gate, up, gradient (read), gate_gradient, up_gradient (written); `count` elements.

//! include lib/elements.wgsl
//! include lib/sigmoid.wgsl

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate: array<vec4f>;
@group(0) @binding(2) var<storage, read> up: array<vec4f>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> gate_gradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> up_gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let span = span_of(group, groups, vectors_of(params.count));
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let g = gate[i];
    let s = sigmoid(g);
    gate_gradient[i] = gradient[i] * up[i] * s * (1.0 + g * (1.0 - s));
    up_gradient[i] = gradient[i] * g * s;
  }
}
