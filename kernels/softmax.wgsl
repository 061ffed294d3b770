// Softmax of rows, exp(x − m) / Σ exp(x − m) with m the row's maximum, or its logarithm (LOG): x − m − log Σ exp(x − m).
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x [rows, width] (read), out [rows, width] (written).

//! include lib/log_sum_exp_rows.wgsl

override LOG: bool = false;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let items = select(0u, params.width / WIDE, row < params.rows);
  var state = lse_items();
  for (var c = at.x; c < whole_fours(items); c += 4u * LANES) {
    let i = first + c;
    state = lse_add_four(state, x[i], x[i + LANES], x[i + 2u * LANES], x[i + 3u * LANES]);
  }
  for (var c = whole_fours(items) + at.x; c < items; c += LANES) { state = lse_add(state, x[first + c]); }
  let total = lse_join(state, at);
  for (var c = at.x; c < items; c += LANES) {
    let above = x[first + c] - total.x;
    if (LOG) { out[first + c] = above - log(total.y); } else { out[first + c] = exp(above) * (1.0 / total.y); }
  }
}
