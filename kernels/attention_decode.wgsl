// Causal softmax attention for few queries, out = softmax(scale · q Kᵀ) V, where a tile of queries would be mostly empty. With
// P = length − T + t the place of query t among the keys, it sees keys start … P; a query left of its start gives zeros.
// A workgroup takes one query of one head and one of `stretches` stretches of `stretch` keys each, THREADS keys at a time. A run has the
// stretches from `first_stretch` on, as many as workgroups along z, and k and v are bound from the first of their keys on. First a thread
// computes the score of one key; then it sums one vector of V over a share of the keys, with a running maximum of its own. A stretch gives the softmax over its own keys; `attention_decode_combine` joins the stretches.
// Bindings: q [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); out [stretches, B, T, H, D];
// log_sum_exp [stretches, B, H, T], for no keys 0 or, with several stretches, LOWEST.
//! include lib/attention.wgsl
//! include lib/attention_careful.wgsl

const THREADS = 64u; // at least D/4

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

var<workgroup> query: array<vec4f, THREADS>;
var<workgroup> scores: array<f32, THREADS>;
var<workgroup> shared_sums: array<vec4f, THREADS>;
var<workgroup> shared_totals: array<vec2f, THREADS>; // maximum and total

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x + group.y * groups.x;
  let rows = params.batch * params.queries * params.heads;
  if (row >= rows) { return; }
  let h = row % params.heads;
  let t = row / params.heads % params.queries;
  let b = row / params.heads / params.queries;
  let stretch = params.first_stretch + group.z;
  let bound_from = params.first_stretch * params.stretch;
  let first = max(first_key(b), stretch * params.stretch);
  let end = min(last_key(t) + 1u, (stretch + 1u) * params.stretch);
  let stride = params.groups * params.vectors;
  let keys_at = b * params.capacity * stride + h / (params.heads / params.groups) * params.vectors;

  if (thread < params.vectors) { query[thread] = q[row * params.vectors + thread] * (params.scale * LOG2E); }
  workgroupBarrier();
  let shares = THREADS / params.vectors;
  let share = thread / params.vectors;
  let column = thread % params.vectors;
  var top = LOWEST;
  var total = 0.0;
  var sum = vec4f();
  for (var j = first; j < end; j += THREADS) {
    let at = keys_at + (min(j + thread, end - 1u) - bound_from) * stride;
    var score = 0.0;
    for (var d = 0u; d < params.vectors; d++) { score += dot(query[d], k[at + d]); }
    scores[thread] = score;
    workgroupBarrier();
    let count = select(0u, min(THREADS, end - j), share < shares);
    var new_top = top;
    for (var c = share; c < count; c += shares) { new_top = max(new_top, scores[c]); }
    let shrink = exp2(top - new_top);
    total *= shrink;
    sum *= shrink;
    top = new_top;
    for (var c = share; c < count; c += shares) {
      let weight = exp2(scores[c] - top);
      total += weight;
      sum += weight * v[keys_at + (j + c - bound_from) * stride + column];
    }
    workgroupBarrier();
  }
  shared_sums[thread] = sum;
  shared_totals[thread] = vec2f(top, total);
  workgroupBarrier();

  if (thread >= params.vectors) { return; }
  for (var s = 1u; s < shares; s++) { top = max(top, shared_totals[thread + s * params.vectors].x); }
  total = 0.0;
  sum = vec4f();
  for (var s = 0u; s < shares; s++) {
    let other = shared_totals[thread + s * params.vectors];
    let weight = exp2(other.x - top);
    total += weight * other.y;
    sum += weight * shared_sums[thread + s * params.vectors];
  }
  var vector = vec4f();
  var log_sum = select(0.0, LOWEST, params.stretches > 1u);
  if (first < end) {
    vector = sum * (1.0 / total);
    log_sum = (top + log2(total)) / LOG2E;
    if (!(is_finite(total) && are_finite(vector))) {
      let seen = Seen(row * params.vectors, keys_at - bound_from * stride, stride, first, end);
      log_sum = careful_log_sum(seen);
      vector = careful_output(seen, log_sum, thread);
    }
  }
  out[(stretch * rows + row) * params.vectors + thread] = vector;
  if (thread == 0u) { log_sum_exp[stretch * rows + (b * params.heads + h) * params.queries + t] = log_sum; }
}
