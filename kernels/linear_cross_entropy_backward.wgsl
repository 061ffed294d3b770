// Gradient of linear_cross_entropy.wgsl for a block of logits, in their place: (softmax(logits) − onehot(label)) · weight, from each row's
// state (m, s, label's logit, 0). softmax(logits)[label] − 1 is minus the share of all others (token_loss_backward.wgsl). A row of weight
// 0 gives zeros, whatever its logits; a label outside the row gives NaN.
// One lane four neighbouring columns of a row, `groups` workgroups a row.
// Bindings: labels, weights, states [rows] (read), logits [rows, width] of the columns from `start` of `vocabulary` on (read and written).

//! include lib/log_sum_exp.wgsl

struct Params { rows: u32, width: u32, groups: u32, start: u32, vocabulary: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> states: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  let row = id / params.groups;
  if (row >= params.rows) { return; }
  let column = (id % params.groups * 64u + lane) * 4u;
  let label = labels[row];
  let weight = weights[row];
  let state = states[row];
  let counts = weight != 0.0 || is_nan(weight);
  let known = label >= 0 && u32(label) < params.vocabulary;
  let all = lse_step(state.xy, state.z);
  let total = select(all.y, nan(), all.y == 0.0);
  let own = u32(label) - params.start;
  for (var c = column; c < min(column + 4u, params.width); c++) {
    let at = row * params.width + c;
    if (!counts) { logits[at] = 0.0; }
    else if (!known) { logits[at] = nan(); }
    else if (c == own) { logits[at] = -exp(state.x - all.x) * state.y / total * weight; }
    else { logits[at] = exp(logits[at] - all.x) / total * weight; }
  }
}
