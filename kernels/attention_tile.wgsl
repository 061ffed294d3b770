// Softmax attention, out = softmax(scale · Q Kᵀ) V. Scores are never stored (online softmax: Milakov & Gimelshein 2018; Dao et
// al. 2022). `lib/attention.wgsl` says which keys a query sees; one that sees none gives zeros.
// A workgroup takes 32 queries of one head against 32 keys at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 for no keys.
//! include lib/attention.wgsl
//! include lib/attention_careful.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

// Pair 0 gives the scores. Pair 1 has only the values, which `mix` reads.
fn own_vector(pair: u32, at: u32) -> vec4f { return q[at]; }
fn other_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return k[at]; }
  return v[at];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, ROWS);
  if (block.b >= params.batch) { return; }
  let end = last_key(min(block.first + ROWS, params.queries) - 1u) + 1u;
  let x = thread % 16u;
  let y = thread / 16u;
  let queries_at = (block.b * params.queries * params.heads + block.head) * params.vectors;
  let own = Rows(queries_at, params.heads * params.vectors, block.first, params.queries - 1u);
  let keys_at = (block.b * params.capacity * params.groups + block.head / (params.heads / params.groups)) * params.vectors;

  let last = last_keys(own_rows(block.first, y));
  var top = vec4f(LOWEST); // of each own row
  var total = vec4f(); // over this thread's other rows only
  var sums = Sums();
  for (var j = first_key(block.b); j < end; j += ROWS) {
    let other = Rows(keys_at, params.groups * params.vectors, j, end - 1u);
    var scores = products(0u, own, other, thread);
    let seen_a = (vec4u(j + x) <= last) & vec4<bool>(j + x < end);
    let seen_b = (vec4u(j + x + 16u) <= last) & vec4<bool>(j + x + 16u < end);
    scores.a = select(vec4f(LOWEST), scores.a * (params.scale * LOG2E), seen_a);
    scores.b = select(vec4f(LOWEST), scores.b * (params.scale * LOG2E), seen_b);
    weights[y * WEIGHT_PITCH + x] = max(scores.a, scores.b);
    workgroupBarrier();
    var new_top = top;
    for (var c = 0u; c < 16u; c++) { new_top = max(new_top, weights[y * WEIGHT_PITCH + c]); }
    workgroupBarrier();
    let shrink = exp2(top - new_top);
    top = new_top;
    scores.a = select(vec4f(), exp2(scores.a - top), seen_a);
    scores.b = select(vec4f(), exp2(scores.b - top), seen_b);
    set_weights(thread, scores);
    total = total * shrink + scores.a + scores.b;
    for (var n = 0u; n < COLUMNS; n++) {
      for (var i = 0u; i < 4u; i++) { sums[4u * n + i] *= shrink[i]; }
    }
    workgroupBarrier();
    mix(&sums, 1u, other, thread);
  }

  total = row_total(total, thread);
  let first = first_key(block.b);
  var sound = are_finite(total);
  for (var i = 0u; i < 4u; i++) {
    let t = block.first + y + 8u * i;
    if (t >= params.queries) { continue; }
    let seen_any = first <= last[i];
    let factor = select(0.0, 1.0 / total[i], seen_any);
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        let vector = sums[4u * n + i] * factor;
        sound = sound && are_finite(vector);
        out[own.at + t * own.stride + column] = vector;
      }
    }
    if (x == 0u) {
      log_sum_exp[block.line * params.queries + t] = select(0.0, (top[i] + log2(total[i])) / LOG2E, seen_any);
    }
  }
  if (sound) { return; }
  for (var t = block.first + y; t < min(block.first + ROWS, params.queries); t += 8u) {
    let seen = Seen(own.at + t * own.stride, keys_at, params.groups * params.vectors, first, last_key(t) + 1u);
    let log_sum = careful_log_sum(seen);
    for (var d = x; d < params.vectors; d += 16u) { out[own.at + t * own.stride + d] = careful_output(seen, log_sum, d); }
    if (x == 0u) { log_sum_exp[block.line * params.queries + t] = log_sum; }
  }
}
