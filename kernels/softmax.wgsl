// Softmax of rows, exp(x − m) / Σ exp(x − m) with m the row's maximum, or its logarithm (LOG): x − m − log Σ exp(x − m).
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x [rows, width] (read), out [rows, width] (written).

//! include lib/log_sum_exp_rows.wgsl

override LOG: bool = false;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let width = select(0u, params.width, row < params.rows);
  var state = lse_start;
  for (var c = at.x; c < width; c += LANES) { state = lse_step(state, x[first + c]); }
  state = lse_join(state, at);
  for (var c = at.x; c < width; c += LANES) {
    let above = x[first + c] - state.x;
    if (LOG) { out[first + c] = above - log(state.y); } else { out[first + c] = exp(above) / state.y; }
  }
}
