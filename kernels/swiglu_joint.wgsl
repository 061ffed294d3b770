// silu(gate) · up (Shazeer 2020), where a row holds the gate and then up, as one product gives them.
// One lane four neighbouring elements of the result.
// Bindings: joint [rows, 2, n] (read), out [rows, n] (written); n is four times `vectors`.

//! include lib/sigmoid.wgsl

struct Params { rows: u32, vectors: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> joint: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.rows * params.vectors) { return; }
  let at = i + i / params.vectors * params.vectors;
  let gate = joint[at];
  out[i] = gate * sigmoid(gate) * joint[at + params.vectors];
}
