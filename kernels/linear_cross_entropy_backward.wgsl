// Gradient of linear_cross_entropy.wgsl for a block of logits, in their place: (softmax(logits) − onehot(label)) · weight, from each row's
// state (m, s, label's logit, 0). softmax(logits)[label] − 1 is minus the share of all others (token_loss_backward.wgsl). A row of weight
// 0 gives zeros, whatever its logits; a label outside the row gives NaN.
// One lane TURNS vectors of a row, 64 vectors apart; `groups` workgroups a row. Where rows are not whole vectors (ODD), one lane four
// neighbouring elements of the block.
// Bindings: labels, weights, states [rows] (read), logits [rows, width] of the columns from `start` of `vocabulary` on (read and written).

//! include lib/log_sum_exp.wgsl

override TURNS: u32 = 1u;
override ODD: bool = false;

struct Params { rows: u32, width: u32, groups: u32, start: u32, vocabulary: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> states: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> logits: array<vec4f>;

struct Slope {
  top: f32,    // softmax(x) · weight = exp(x − top) · scale
  scale: f32,
  label: u32,  // its column in this block
  own: f32,    // the gradient there
  counts: bool,
}

fn slope_of(row: u32) -> Slope {
  let state = states[row];
  let weight = weights[row];
  let label = labels[row];
  let all = lse_step(state.xy, state.z);
  let known = label >= 0 && u32(label) < params.vocabulary;
  let scale = select(nan(), weight / select(all.y, nan(), all.y == 0.0), known);
  let own = -exp(state.x - all.x) * state.y * scale;
  return Slope(all.x, scale, u32(label) - params.start, own, weight != 0.0 || is_nan(weight));
}

fn gradient(x: vec4f, column: vec4u, slope: Slope) -> vec4f {
  let values = select(exp(x - slope.top) * slope.scale, vec4f(slope.own), column == vec4u(slope.label));
  return select(vec4f(), values, slope.counts);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  let four = vec4u(0u, 1u, 2u, 3u);
  if (ODD) {
    let i = id * 64u + lane;
    for (var k = 0u; k < 4u; k++) {
      let element = i * 4u + k;
      let row = element / params.width;
      if (row >= params.rows) { return; }
      logits[i][k] = gradient(vec4f(logits[i][k]), vec4u(element % params.width), slope_of(row)).x;
    }
    return;
  }
  let row = id / params.groups;
  if (row >= params.rows) { return; }
  let vectors = params.width / 4u;
  let slope = slope_of(row);
  var v = id % params.groups * 64u * TURNS + lane;
  for (var turn = 0u; turn < TURNS && v < vectors; turn++) {
    let at = row * vectors + v;
    logits[at] = gradient(logits[at], v * 4u + four, slope);
    v += 64u;
  }
}
