// KL(p ‖ q) = Σ p (log p − log q) of each row, p = softmax(reference), q = softmax(logits). A label of −100 gives 0.
// LANES lanes a row (lib/rows.wgsl), which read it twice: for the maximum m of the reference and the normaliser of q, then for
// s = Σ exp(reference − m) and t, the same sum with each term times log p − log q, both without their normalisers. KL is t / s and what
// the normalisers add. So there are two exponentials for each column.
// Bindings: reference, logits [rows, width], labels [rows] (read), out [rows] (written).

//! include lib/log_sum_exp_rows.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reference: array<Item>;
@group(0) @binding(2) var<storage, read> logits: array<Item>;
@group(0) @binding(3) var<storage, read> labels: array<i32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let inside = row < params.rows;
  let counts = inside && labels[min(row, params.rows - 1u)] != -100;
  let items = select(0u, params.width / WIDE, counts);
  var top = Item(-0x1.fffffep127);
  var states = lse_items();
  for (var c = at.x; c < items; c += LANES) {
    top = max(top, reference[first + c]); // a NaN that is lost here is met again below
    states = lse_add(states, logits[first + c]);
  }
  let m = row_max(largest_of(top), at);
  let q = lse_join(states, at);
  var masses = Item();
  var terms = Item();
  for (var c = at.x; c < items; c += LANES) {
    let log_p = reference[first + c] - m;
    let mass = exp(log_p);
    masses += mass;
    terms += mass * (log_p - (logits[first + c] - q.x));
  }
  let s = row_sum(sum_of(masses), at);
  let total = row_sum(sum_of(terms), at) / s + log(q.y / s);
  if (at.x == 0u && inside) { out[row] = select(0.0, total, counts); }
}
