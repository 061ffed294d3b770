// Gradients of attention for its keys and values, beside `attention_tile`: dV = Pᵀ dO and dK = scale · dSᵀ Q, with P and dS as in
// `lib/attention_backward.wgsl`, summed in order over the query heads that share a key head. A key that no query sees gets zeros.
// A workgroup takes 32 keys of one key head against 32 queries at a time; `lib/attention_tile.wgsl` says which thread has what.
// Bindings: q, gradient (dO) [B, T, H, D]; k, v, out_k (dK), out_v (dV) [B, C, G, D]; starts [B] (not read unless `padded`);
// rows [B, H, T, 3].
//! include lib/attention_backward.wgsl
//! include lib/attention_tile.wgsl

@group(0) @binding(7) var<storage, read_write> out_k: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out_v: array<vec4f>;

// Pair 0 gives the scores, pair 1 their slopes dP.
fn own_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return k[at]; }
  return v[at];
}
fn other_vector(pair: u32, at: u32) -> vec4f {
  if (pair == 0u) { return q[at]; }
  return gradient[at];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let block = block_of(group.x + group.y * groups.x, params.groups, params.capacity, ROWS);
  if (block.b >= params.batch) { return; }
  let start = first_key(block.b);
  let base2 = params.scale * LOG2E;
  let x = thread % 16u;
  let keys_at = (block.b * params.capacity * params.groups + block.head) * params.vectors;
  let own = Rows(keys_at, params.groups * params.vectors, block.first, params.length - 1u);
  let share = params.heads / params.groups;

  let keys = own_rows(block.first, thread / 16u);
  let used = (keys >= vec4u(start)) & (keys < vec4u(params.length));
  var key_sums = Sums();
  var value_sums = Sums();
  for (var h = block.head * share; h < (block.head + 1u) * share; h++) {
    let queries_at = (block.b * params.queries * params.heads + h) * params.vectors;
    let rows_at = (block.b * params.heads + h) * params.queries;
    for (var t = first_query(block.first, ROWS, start); t < params.queries; t += ROWS) {
      let other = Rows(queries_at, params.heads * params.vectors, t, params.queries - 1u);
      // One call in a loop: compilers inline it, and two copies take long to compile.
      var scores: Products;
      var slopes: Products;
      for (var pair = 0u; pair < 2u; pair++) {
        scores = slopes;
        slopes = products(pair, own, other, thread);
      }
      let row_a = rows[rows_at + min(t + x, other.last)];
      let row_b = rows[rows_at + min(t + x + 16u, other.last)];
      let sees_a = used & (keys <= vec4u(last_key(t + x))) & vec4<bool>(t + x <= other.last);
      let sees_b = used & (keys <= vec4u(last_key(t + x + 16u))) & vec4<bool>(t + x + 16u <= other.last);
      let seen = Products(weights_of(scores.a * base2, vec4f(row_a.log_sum), sees_a), weights_of(scores.b * base2, vec4f(row_b.log_sum), sees_b));
      set_weights(thread, seen);
      workgroupBarrier();
      mix(&value_sums, 1u, other, thread);
      workgroupBarrier();
      set_weights(thread, Products(
        select(vec4f(), seen.a * (slopes.a - row_a.delta - row_a.rest), sees_a),
        select(vec4f(), seen.b * (slopes.b - row_b.delta - row_b.rest), sees_b)));
      workgroupBarrier();
      mix(&key_sums, 0u, other, thread);
    }
  }
  var sound = true;
  for (var i = 0u; i < 4u; i++) {
    if (keys[i] >= params.capacity) { continue; }
    for (var n = 0u; n < COLUMNS; n++) {
      let column = x + 16u * n;
      if (column < params.vectors) {
        let vector = key_sums[4u * n + i] * params.scale;
        sound = sound && are_finite(vector) && are_finite(value_sums[4u * n + i]);
        out_k[keys_at + keys[i] * own.stride + column] = vector;
        out_v[keys_at + keys[i] * own.stride + column] = value_sums[4u * n + i];
      }
    }
  }
  if (sound) { return; }
  for (var j = keys.x; j < min(block.first + ROWS, params.capacity); j += 8u) {
    for (var d = x; d < params.vectors; d += 16u) {
      let vectors = careful_key(block.b, block.head, j, d);
      out_k[keys_at + j * own.stride + d] = vectors.key;
      out_v[keys_at + j * own.stride + d] = vectors.value;
    }
  }
}
