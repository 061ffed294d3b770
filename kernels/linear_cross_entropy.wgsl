// Cross-entropy of logits that come in blocks of columns, of which one is in memory at a time (Wijmans et al. 2024). Folds a block into
// each row's state (m, s, label's logit, 0), with s = Σ exp(logit − m) over all columns so far but the label's. The last block (LAST) also
// gives the losses, as cross_entropy.wgsl does: 0 for a label of −100, NaN for any other outside the row.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: logits [rows, width] of the columns from `start` on, labels [rows] (read), states [rows] (read but in the first block, and
// written), losses [rows] (written by the last).

//! include lib/log_sum_exp.wgsl
//! include lib/rows.wgsl

override FIRST: bool = false;
override LAST: bool = false;

struct Params { rows: u32, width: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> states: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let inside = row < params.rows;
  let label = select(-100, labels[min(row, params.rows - 1u)], inside);
  let own = u32(label) - params.start; // wraps where the label lies before this block, or is negative
  let width = select(params.width, 0u, label == -100);
  var part = lse_start;
  for (var c = at.x; c < width; c += LANES) {
    if (c != own) { part = lse_step(part, logits[first + c]); }
  }
  let top = row_max(part.x, at);
  part = vec2f(top, row_sum(part.y * exp(part.x - top), at));
  if (at.x != 0u || !inside) { return; }
  var state = vec4f(lse_start, 0.0, 0.0);
  if (!FIRST) { state = states[row]; }
  let m = max(state.x, part.x);
  state = vec4f(m, state.y * exp(state.x - m) + part.y * exp(part.x - m), state.z, 0.0);
  if (own < width) { state.z = logits[first + own]; }
  states[row] = state;
  if (!LAST) { return; }
  if (label == -100) { losses[row] = 0.0; }
  else if (label < 0 || u32(label) >= params.start + params.width) { losses[row] = nan(); }
  else {
    let all = lse_step(state.xy, state.z);
    let sum = select(all.y, nan(), all.y == 0.0);
    losses[row] = keep_nan(log(sum) + (all.x - state.z), sum);
  }
}
