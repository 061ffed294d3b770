// Gradient of cross_entropy.wgsl or, with REFERENCE, of kl_divergence.wgsl for their logits: (softmax(logits) − p) · weight, with
// p = onehot(label) or softmax(reference). The weight of a token carries the gradient of its loss (token_weights.wgsl). A token of
// weight 0 gives zeros, whatever its logits; a label outside the row gives NaN.
// softmax(logits)[label] − 1 is minus the share of all others, and is computed so: where the label has nearly everything, the others are lost
// in a sum that begins with it.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: logits [rows, width], wanted (labels [rows], i32, or reference [rows, width], f32), weights [rows] (read),
// out [rows, width] (written).

//! include lib/log_sum_exp_rows.wgsl

override REFERENCE: bool = false;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> wanted: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let inside = row < params.rows;
  let weight = weights[min(row, params.rows - 1u)];
  let counts = inside && (weight != 0.0 || is_nan(weight));
  var label = 0u;
  if (!REFERENCE) { label = wanted[min(row, params.rows - 1u)]; }
  let apart = select(label, params.width, REFERENCE);
  var p = lse_start;
  var q = lse_start;
  for (var c = at.x; c < select(0u, params.width, counts); c += LANES) {
    if (REFERENCE) { p = lse_step(p, bitcast<f32>(wanted[first + c])); }
    if (c != apart) { q = lse_step(q, logits[first + c]); }
  }
  if (REFERENCE) { p = lse_join(p, at); }
  let top = row_max(q.x, at);
  let others = vec2f(top, row_sum(q.y * exp(q.x - top), at));
  q = others;
  if (counts && apart < params.width) { q = lse_step(others, logits[first + apart]); }
  q.y = select(q.y, nan(), q.y == 0.0);
  for (var c = at.x; c < select(0u, params.width, inside); c += LANES) {
    if (!counts) { out[first + c] = 0.0; }
    else if (!REFERENCE && label >= params.width) { out[first + c] = nan(); }
    else if (c == apart) { out[first + c] = -exp(others.x - q.x) * others.y / q.y * weight; }
    else {
      var expected = 0.0;
      if (REFERENCE) { expected = exp(bitcast<f32>(wanted[first + c]) - p.x) / p.y; }
      out[first + c] = (exp(logits[first + c] - q.x) / q.y - expected) * weight;
    }
  }
}
