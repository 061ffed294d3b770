// Softmax attention of one query, one key after another. The kernels multiply by weights of 0 too, for keys that a query does not see, so
// a NaN or an infinity there makes its result NaN. They also lose what does not fit their running maximum. So they compute a result that
// is not finite again in this way, which reads only what the query sees and keeps every NaN.

//! include lib/log_sum_exp.wgsl

// A query and the keys first … end − 1 that it sees: where it begins in q, where key 0 begins in k and v, and how far apart keys are.
struct Seen { query: u32, keys: u32, stride: u32, first: u32, end: u32 }

fn careful_score(seen: Seen, j: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < params.vectors; d++) { sum += dot(q[seen.query + d] * params.scale, k[seen.keys + j * seen.stride + d]); }
  return sum;
}

// Logarithm of the sum of exponentials: 0 for no keys.
fn careful_log_sum(seen: Seen) -> f32 {
  if (seen.first >= seen.end) { return 0.0; }
  var state = lse_start;
  for (var j = seen.first; j < seen.end; j++) {
    state = lse_step(state, careful_score(seen, j));
    if (is_nan(state.y)) { break; }
  }
  if (is_nan(state.y) || state.y == 0.0) { return nan(); }
  return state.x + log(state.y);
}

// Vector d of the output: zeros for no keys.
fn careful_output(seen: Seen, log_sum: f32, d: u32) -> vec4f {
  if (is_nan(log_sum)) { return vec4f(nan()); }
  var sum = vec4f();
  for (var j = seen.first; j < seen.end; j++) {
    sum += exp(careful_score(seen, j) - log_sum) * v[seen.keys + j * seen.stride + d];
  }
  return sum;
}
