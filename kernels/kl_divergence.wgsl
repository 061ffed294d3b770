// KL(p ‖ q) = Σ p (log p − log q) of each row, p = softmax(reference), q = softmax(logits). A label of −100 gives 0.
// LANES lanes a row (lib/rows.wgsl), which read it twice: for both normalisers, then for the sum.
// Bindings: reference, logits [rows, width], labels [rows] (read), out [rows] (written).

//! include lib/log_sum_exp_rows.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reference: array<f32>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<i32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * params.width;
  let inside = row < params.rows;
  let counts = inside && labels[min(row, params.rows - 1u)] != -100;
  let width = select(0u, params.width, counts);
  var p = lse_start;
  var q = lse_start;
  for (var c = at.x; c < width; c += LANES) {
    p = lse_step(p, reference[first + c]);
    q = lse_step(q, logits[first + c]);
  }
  p = lse_join(p, at);
  q = lse_join(q, at);
  let log_ratio = log(q.y / p.y);
  var sum = 0.0;
  for (var c = at.x; c < width; c += LANES) {
    let log_p = reference[first + c] - p.x; // without − log p.y, which is part of log_ratio
    sum += exp(log_p) * (log_p - (logits[first + c] - q.x) + log_ratio);
  }
  let total = row_sum(sum, at) / p.y;
  if (at.x == 0u && inside) { out[row] = select(0.0, total, counts); }
}
