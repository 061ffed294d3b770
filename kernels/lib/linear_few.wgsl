// A product with few rows, as in decoding, and what stands around it in a block: out[i, j] = Σₖ x̂[i, k] · W[j, k], where x̂ is x, or x
// normalised as norm.wgsl does (NORMALIZE). ADD adds addend[i, j]. With GATED, W has 2 n rows, and out = silu(gate) · up, where the first
// n rows give the gate and the others up.
// A workgroup computes all ROWS rows of 4 · LANES_N columns. LANES_K lanes share each four columns and take four steps of k in turn;
// their sums are added in shared memory, pairwise and in a fixed order. Each workgroup finds what the rows are normalised by for itself:
// x is small, and one run of a kernel less is worth more. With LANES_K = 1, for adapters whose lanes are a CPU's, there is no barrier.
// k and every row of x and W are whole vectors of four. A kernel that includes this declares W, as `w`, and read_w4.
// Bindings: x [ROWS, k], norm_weight [k] of some floating dtype, w [n or 2 n, k], addend [ROWS, n] (read); out [ROWS, n] (written).

//! include lib/packed.wgsl
//! include lib/sigmoid.wgsl
//! include lib/norm_row.wgsl

override ROWS: u32 = 1u; // of x, 1 or 2. Each has variables of its own: an array of them is slow on software adapters.
override LANES_N: u32 = 8u;
// A power of two.
override LANES_K: u32 = 1u;
override LANES: u32 = LANES_N * LANES_K;
override NORMALIZE: bool = false;
override NORM_DTYPE: u32 = 3u; // lib/packed.wgsl; 3 is none
override ADD: bool = false;
override GATED: bool = false;
override PARTIALS: u32 = 1u;

struct Params { n: u32, k: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> norm_weight: array<u32>;
@group(0) @binding(4) var<storage, read> addend: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

var<workgroup> partials: array<vec4f, PARTIALS>;

fn x_at(i: u32) -> f32 { return x[i / 4u][i % 4u]; }

fn norm_weight_4(k: u32) -> vec4f {
  if (NORM_DTYPE == 3u) { return vec4f(1.0); }
  if (NORM_DTYPE == 0u) {
    return bitcast<vec4f>(vec4u(norm_weight[k], norm_weight[k + 1u], norm_weight[k + 2u], norm_weight[k + 3u]));
  }
  return vec4f(unpack_pair(norm_weight[k / 2u], NORM_DTYPE), unpack_pair(norm_weight[k / 2u + 1u], NORM_DTYPE));
}

// Sum over the LANES_K lanes of a column; every lane gets it. All lanes of the workgroup must call it.
fn sum_of_lanes(value: f32, lane: u32) -> f32 {
  if (LANES_K == 1u) { return value; }
  partials[lane].x = value;
  for (var half = LANES_K / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half * LANES_N) { partials[lane].x += partials[lane + half * LANES_N].x; }
  }
  workgroupBarrier();
  let total = partials[lane % LANES_N].x;
  workgroupBarrier();
  return total;
}

// What row `r` is normalised by.
fn row_of(r: u32, lane: u32) -> Row {
  let n = f32(params.k);
  let first = r * params.k;
  let begin = first + lane / LANES_N * 4u;
  let end = first + params.k;
  var mean = 0.0;
  if (CENTERED) {
    var sum = vec4f();
    for (var i = begin; i < end; i += LANES_K * 4u) { sum += x[i / 4u]; }
    mean = sum_of_lanes(dot(sum, vec4f(1.0)), lane) / n;
  }
  var squares = vec4f();
  for (var i = begin; i < end; i += LANES_K * 4u) {
    let d = x[i / 4u] - mean;
    squares += d * d;
  }
  let variance = sum_of_lanes(dot(squares, vec4f(1.0)), lane) / n;
  if (is_plain(mean, variance)) { return Row(1.0, mean, 0.0, inverseSqrt(variance + params.eps)); }
  return careful_row(first, params.k, is_finite(variance));
}

// What each of two rows is normalised by.
struct Two { first: Row, second: Row }

fn normalized(row: Row, value: vec4f, scale: vec4f) -> vec4f {
  if (!NORMALIZE) { return value; }
  return (value * row.scale - row.base - row.rest) * row.inverse * scale;
}

// Stores columns j … j + 3 of row `r`.
fn finish(sum: vec4f, up: vec4f, r: u32, j: u32) {
  var result = sum;
  if (GATED) { result = result * sigmoid(result) * up; }
  for (var c = 0u; c < 4u && j + c < params.n; c++) {
    let to = r * params.n + j + c;
    if (ADD) { out[to] = addend[to] + result[c]; } else { out[to] = result[c]; }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  let first_column = id * 4u * LANES_N;
  if (first_column >= params.n) { return; }
  let j = first_column + lane % LANES_N * 4u;

  var rows = Two();
  if (NORMALIZE) {
    rows.first = row_of(0u, lane);
    if (ROWS == 2u) { rows.second = row_of(1u, lane); }
  }
  // Columns past the edge repeat the last one and are not stored.
  let last = params.n - 1u;
  let at = vec4u(min(j, last), min(j + 1u, last), min(j + 2u, last), min(j + 3u, last)) * params.k;
  let up = params.n * params.k;
  var first_sum = vec4f();
  var second_sum = vec4f();
  var first_up = vec4f();
  var second_up = vec4f();
  for (var k = lane / LANES_N * 4u; k < params.k; k += LANES_K * 4u) {
    let block = mat4x4f(read_w4(at.x + k), read_w4(at.y + k), read_w4(at.z + k), read_w4(at.w + k));
    var up_block: mat4x4f;
    if (GATED) {
      up_block = mat4x4f(read_w4(up + at.x + k), read_w4(up + at.y + k), read_w4(up + at.z + k), read_w4(up + at.w + k));
    }
    var scale = vec4f(1.0);
    if (NORMALIZE) { scale = norm_weight_4(k); }
    let first = normalized(rows.first, x[k / 4u], scale);
    first_sum += first * block;
    if (GATED) { first_up += first * up_block; }
    if (ROWS == 2u) {
      let second = normalized(rows.second, x[(params.k + k) / 4u], scale);
      second_sum += second * block;
      if (GATED) { second_up += second * up_block; }
    }
  }

  if (LANES_K > 1u) {
    // The lists of sums to be added: of each row and, with GATED, of up.
    partials[lane] = first_sum;
    if (ROWS == 2u) { partials[LANES + lane] = second_sum; }
    if (GATED) {
      partials[ROWS * LANES + lane] = first_up;
      if (ROWS == 2u) { partials[3u * LANES + lane] = second_up; }
    }
    let lists = ROWS * select(1u, 2u, GATED);
    for (var half = LANES_K / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      let width = half * LANES_N;
      for (var t = lane; t < lists * width; t += LANES) {
        let to = t / width * LANES + t % width;
        partials[to] += partials[to + width];
      }
    }
    workgroupBarrier();
    if (lane >= LANES_N) { return; }
    first_sum = partials[lane];
    if (ROWS == 2u) { second_sum = partials[LANES + lane]; }
    if (GATED) {
      first_up = partials[ROWS * LANES + lane];
      if (ROWS == 2u) { second_up = partials[3u * LANES + lane]; }
    }
  }
  finish(first_sum, first_up, 0u, j);
  if (ROWS == 2u) { finish(second_sum, second_up, 1u, j); }
}
