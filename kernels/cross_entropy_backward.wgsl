// Gradient of cross_entropy.wgsl: (softmax(logits) − onehot(label)) · weight, where the weight of a token carries the gradient of
// its loss (token_weights.wgsl). A token of weight 0 gives zeros, whatever its logits; a label outside the row gives NaN.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: logits [rows, width], labels, weights [rows] (read), out [rows, width] (written).

//! include lib/log_sum_exp.wgsl

struct Params { rows: u32, width: u32, nan_bits: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let inside = row < params.rows;
  let label = labels[min(row, params.rows - 1u)];
  let weight = weights[min(row, params.rows - 1u)];
  let counts = inside && weight != 0.0;
  var state = lse_start;
  for (var c = at.x; c < select(0u, params.width, counts); c += LANES) { state = lse_step(state, logits[first + c]); }
  state = lse_join(state, at);
  let bad = u32(label) >= params.width;
  for (var c = at.x; c < select(0u, params.width, inside); c += LANES) {
    if (!counts) { out[first + c] = 0.0; }
    else if (bad) { out[first + c] = bitcast<f32>(params.nan_bits); }
    else {
      let p = exp(logits[first + c] - state.x) / state.y;
      out[first + c] = (p - f32(c == u32(label))) * weight;
    }
  }
}
