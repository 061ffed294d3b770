enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Softmax attention on the matrix units of a subgroup, out = softmax(scale · Q Kᵀ) V, with q, k, v and the weights rounded to f16, and products and
// sums in f32. `lib/attention.wgsl` says which keys a query sees; one that sees none gives zeros.
// A workgroup takes 64 queries of one head against 32 keys at a time, a subgroup 16 of the queries; where there are fewer than four subgroups, each
// takes several sixteens, one after another. Sums on matrix units cannot be scaled row by row, as an online softmax would. So it goes over the
// keys twice: for the logarithm of each query's sum of exponentials, then for the weights, exp(score − that), and their product with V.
// What is not finite in f16 is computed again in f32, with care (`lib/attention_careful.wgsl`).
// Bindings: q, out [B, T, H, D]; k, v [B, C, G, D]; starts [B] (not read unless `padded`); log_sum_exp [B, H, T], 0 for no keys.

//! include lib/attention.wgsl
//! include lib/attention_careful.wgsl

// What the units multiply: UNIT_M × UNIT_K by UNIT_K × UNIT_N.
const UNIT_M = 16u; //! define
const UNIT_N = 16u; //! define
const UNIT_K = 16u; //! define
const WIDTH = 64u; //! define: D, a multiple of both

const LANES = 128u; // a multiple of the largest subgroup
const ROWS = 64u;
const OWN = 16u; // rows of a subgroup
const KEYS = 32u;
const VECTORS = WIDTH / 4u;
const PITCH = WIDTH + 8u;
const SCORE_PITCH = KEYS + 4u;
const WEIGHT_PITCH = KEYS + 8u;
const OWN_UNITS = OWN / UNIT_M;
const DEPTH_UNITS = WIDTH / UNIT_K;
const WIDTH_UNITS = WIDTH / UNIT_N;

@group(0) @binding(4) var<storage> v: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;

alias Left = subgroup_matrix_left<f16, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<f16, UNIT_N, UNIT_K>;
alias Sum = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

// The queries; then 32 keys, and 32 values behind them.
var<workgroup> tile: array<f16, ROWS * PITCH>;
var<workgroup> scores: array<f32, ROWS * SCORE_PITCH>;
var<workgroup> weights: array<f16, ROWS * WEIGHT_PITCH>;
var<workgroup> parts: array<vec2f, LANES>; // a lane's maximum and total
var<workgroup> unsound: array<atomic<u32>, ROWS>;

alias Queries = array<Left, OWN_UNITS * DEPTH_UNITS>;

fn put(row: u32, d: u32, vector: vec4f) {
  let held = vec4<f16>(vector);
  for (var c = 0u; c < 4u; c++) { tile[row * PITCH + 4u * d + c] = held[c]; }
}

// Stages keys j … j + 31, and their values; zeros past `end`. Begins and ends with a barrier.
fn stage(lane: u32, keys_at: u32, stride: u32, j: u32, end: u32, values: bool) {
  workgroupBarrier();
  for (var i = lane; i < KEYS * VECTORS; i += LANES) {
    let row = i / VECTORS;
    let d = i % VECTORS;
    let at = keys_at + min(j + row, end - 1u) * stride + d;
    let there = j + row < end;
    put(row, d, select(vec4f(), k[at], there));
    if (values) { put(KEYS + row, d, select(vec4f(), v[at], there)); }
  }
  workgroupBarrier();
}

// Scores of a subgroup's rows from `own` on with the staged keys. Ends with a barrier.
fn score(own: u32, queries: ptr<function, Queries>) {
  for (var r = 0u; r < OWN_UNITS; r++) {
    for (var c = 0u; c < KEYS; c += UNIT_N) {
      var sum = Sum();
      for (var d = 0u; d < DEPTH_UNITS; d++) {
        let keys = subgroupMatrixLoad<Right, col_major>(&tile, c * PITCH + d * UNIT_K, PITCH);
        sum = subgroupMatrixMultiplyAccumulate((*queries)[r * DEPTH_UNITS + d], keys, sum);
      }
      subgroupMatrixStore<row_major>(&scores, (own + r * UNIT_M) * SCORE_PITCH + c, sum, SCORE_PITCH);
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
  @builtin(subgroup_size) subgroup_lanes: u32,
) {
  let block = block_of(group.x + group.y * groups.x, params.heads, params.queries, ROWS);
  if (block.b >= params.batch) { return; }
  let start = first_key(block.b);
  let end = last_key(min(block.first + ROWS, params.queries) - 1u) + 1u;
  let queries_at = (block.b * params.queries * params.heads + block.head) * VECTORS;
  let query_stride = params.heads * VECTORS;
  let stride = params.groups * VECTORS;
  let keys_at = block.b * params.capacity * stride + block.head / (params.heads / params.groups) * VECTORS;
  let factor = params.scale * LOG2E;

  for (var first = 0u; first < ROWS / OWN; first += subgroups) {
    workgroupBarrier();
    for (var i = lane; i < ROWS * VECTORS; i += LANES) {
      // Rows past the last query repeat it and are not written.
      let t = min(block.first + i / VECTORS, params.queries - 1u);
      put(i / VECTORS, i % VECTORS, q[queries_at + t * query_stride + i % VECTORS]);
    }
    if (lane < ROWS) { atomicStore(&unsound[lane], 0u); }
    workgroupBarrier();
    let own = (first + subgroup) * OWN;
    var queries: Queries;
    for (var r = 0u; r < OWN_UNITS; r++) {
      for (var d = 0u; d < DEPTH_UNITS; d++) {
        queries[r * DEPTH_UNITS + d] = subgroupMatrixLoad<Left, row_major>(&tile, (own + r * UNIT_M) * PITCH + d * UNIT_K, PITCH);
      }
    }

    // Of its row a lane has keys `share`, `share + sharers` …
    let sharers = subgroup_lanes / OWN;
    let row = own + subgroup_lane / sharers;
    let share = subgroup_lane % sharers;
    let t = block.first + row;
    let last = last_key(min(t, params.queries - 1u));
    var top = LOWEST;
    var total = 0.0;
    for (var j = start; j < end; j += KEYS) {
      stage(lane, keys_at, stride, j, end, false);
      score(own, &queries);
      let seen = select(0u, min(last + 1u - j, KEYS), j <= last);
      var new_top = top;
      for (var c = share; c < seen; c += sharers) { new_top = max(new_top, scores[row * SCORE_PITCH + c] * factor); }
      total *= exp2(top - new_top);
      for (var c = share; c < seen; c += sharers) { total += exp2(scores[row * SCORE_PITCH + c] * factor - new_top); }
      top = new_top;
    }
    parts[lane] = vec2f(top, total);
    workgroupBarrier();
    let first_part = lane - share;
    for (var s = 0u; s < sharers; s++) { top = max(top, parts[first_part + s].x); }
    total = 0.0;
    for (var s = 0u; s < sharers; s++) { total += parts[first_part + s].y * exp2(parts[first_part + s].x - top); }
    let log_total = top + log2(total);

    var sums: array<Sum, OWN_UNITS * WIDTH_UNITS>;
    for (var s = 0u; s < OWN_UNITS * WIDTH_UNITS; s++) { sums[s] = Sum(); }
    for (var j = start; j < end; j += KEYS) {
      stage(lane, keys_at, stride, j, end, true);
      score(own, &queries);
      for (var c = share; c < KEYS; c += sharers) {
        let weight = select(0.0, exp2(scores[row * SCORE_PITCH + c] * factor - log_total), j + c <= last && j + c < end);
        weights[row * WEIGHT_PITCH + c] = f16(weight);
      }
      workgroupBarrier();
      for (var r = 0u; r < OWN_UNITS; r++) {
        for (var d = 0u; d < KEYS; d += UNIT_K) {
          let left = subgroupMatrixLoad<Left, row_major>(&weights, (own + r * UNIT_M) * WEIGHT_PITCH + d, WEIGHT_PITCH);
          for (var c = 0u; c < WIDTH_UNITS; c++) {
            let values = subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + d) * PITCH + c * UNIT_N, PITCH);
            sums[r * WIDTH_UNITS + c] = subgroupMatrixMultiplyAccumulate(left, values, sums[r * WIDTH_UNITS + c]);
          }
        }
      }
    }

    for (var s = 0u; s < OWN_UNITS * WIDTH_UNITS; s++) {
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&scores, own * SCORE_PITCH, sums[s], SCORE_PITCH);
      workgroupBarrier();
      for (var e = subgroup_lane; e < UNIT_M * UNIT_N / 4u; e += subgroup_lanes) {
        let at = own + e / (UNIT_N / 4u);
        let d = e % (UNIT_N / 4u);
        let cell = at * SCORE_PITCH + 4u * d;
        let vector = vec4f(scores[cell], scores[cell + 1u], scores[cell + 2u], scores[cell + 3u]);
        let output_row = at + s / WIDTH_UNITS * UNIT_M;
        if (block.first + output_row < params.queries) {
          if (!are_finite(vector)) { atomicStore(&unsound[output_row], 1u); }
          out[queries_at + (block.first + output_row) * query_stride + s % WIDTH_UNITS * (UNIT_N / 4u) + d] = vector;
        }
      }
    }
    workgroupBarrier();
    if (t < params.queries) {
      let query = Seen(queries_at + t * query_stride, keys_at, stride, start, last + 1u);
      var log_sum = select(0.0, log_total / LOG2E, start <= last);
      if (atomicLoad(&unsound[row]) == 1u || !is_finite(log_sum)) {
        log_sum = careful_log_sum(query);
        for (var d = share; d < VECTORS; d += sharers) { out[query.query + d] = careful_output(query, log_sum, d); }
      }
      if (share == 0u) { log_sum_exp[block.line * params.queries + t] = log_sum; }
    }
  }
}
