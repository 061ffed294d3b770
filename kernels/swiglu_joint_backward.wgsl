// Gradient of swiglu_joint.wgsl: ∂gate = g · up · σ(gate) · (1 + gate · (1 − σ(gate))), ∂up = g · silu(gate), in a row of both.
// One lane four neighbouring elements of the gradient that comes.
// Bindings: joint [rows, 2, n], gradient [rows, n] (read), out [rows, 2, n] (written); n is four times `vectors`.

//! include lib/sigmoid.wgsl

struct Params { rows: u32, vectors: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> joint: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.rows * params.vectors) { return; }
  let at = i + i / params.vectors * params.vectors;
  let gate = joint[at];
  let s = sigmoid(gate);
  out[at] = gradient[i] * joint[at + params.vectors] * s * (1.0 + gate * (1.0 - s));
  out[at + params.vectors] = gradient[i] * gate * s;
}
