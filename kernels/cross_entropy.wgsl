// Loss of each token: −log softmax(logits)[label] = log Σ exp(logits) − logits[label], in one reading of the row. A label of −100
// gives 0; any other label outside the row gives NaN.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: logits [rows, width], labels [rows] (read), out [rows] (written).

//! include lib/log_sum_exp_rows.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Item>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let label = select(-100, labels[min(row, params.rows - 1u)], row < params.rows);
  let items = select(params.width / WIDE, 0u, label == -100);
  var state = lse_items();
  for (var c = at.x; c < whole_fours(items); c += 4u * LANES) {
    let i = first + c;
    state = lse_add_four(state, logits[i], logits[i + LANES], logits[i + 2u * LANES], logits[i + 3u * LANES]);
  }
  for (var c = whole_fours(items) + at.x; c < items; c += LANES) { state = lse_add(state, logits[first + c]); }
  let total = lse_join(state, at);
  if (at.x != 0u || row >= params.rows) { return; }
  if (label == -100) { out[row] = 0.0; }
  else if (u32(label) >= params.width) { out[row] = nan(); }
  else { out[row] = log(total.y) + (total.x - element_of(logits[first + u32(label) / WIDE], u32(label) % WIDE)); }
}
