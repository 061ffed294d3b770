// Gradient of kl_divergence.wgsl for its logits: (softmax(logits) − softmax(reference)) · weight, where the weight of a token
// carries the gradient of its loss (token_weights.wgsl). A token of weight 0 gives zeros, whatever its logits.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: reference, logits [rows, width], weights [rows] (read), out [rows, width] (written).

//! include lib/log_sum_exp.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reference: array<f32>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let inside = row < params.rows;
  let weight = weights[min(row, params.rows - 1u)];
  let counts = inside && weight != 0.0;
  var p = lse_start;
  var q = lse_start;
  for (var c = at.x; c < select(0u, params.width, counts); c += LANES) {
    p = lse_step(p, reference[first + c]);
    q = lse_step(q, logits[first + c]);
  }
  p = lse_join(p, at);
  q = lse_join(q, at);
  for (var c = at.x; c < select(0u, params.width, inside); c += LANES) {
    if (!counts) { out[first + c] = 0.0; }
    else { out[first + c] = weight * (exp(logits[first + c] - q.x) / q.y - exp(reference[first + c] - p.x) / p.y); }
  }
}
