// A product with several rows, as in decoding some sequences together, and what stands around it in a block, for subgroups of 4 or 8 lanes of
// a CPU: out[i, j] = Σₖ x̂[i, k] · W[j, k], where x̂ is x or, with NORMALIZE, RMSNorm(x) · norm weight (Zhang & Sennrich 2019). With GATED, W has
// 2 n rows, and out = silu(gate) · up, where the first n rows give the gate and the others up.
// A workgroup is one subgroup and computes ROWS rows of 4 · LANES columns. A lane has four columns of all rows in registers, a matrix for four
// rows. It reads vectors of four steps of k: those of its columns, and one of x for each LANES rows, which are broadcast. It sums the squares
// of what it reads of x, so a row's divisor is known at the end, and needs no run of a kernel before.
// k and n are multiples of four.
// Bindings: x [m, k], norm_weight [k] of some floating dtype, w [n or 2 n, k] (f32, f16 or bf16) (read); out [m, n] (written).
enable subgroups;
//! include lib/packed.wgsl
//! include lib/sigmoid.wgsl
//! include lib/norm_row.wgsl

override LANES: u32 = 4u; // of a subgroup
override ROWS: u32 = 8u; // 4 or 8
override NORMALIZE: bool = false;
override NORM_DTYPE: u32 = 3u; // lib/packed.wgsl; 3 is none
override GATED: bool = false;
override W_DTYPE: u32 = 0u;
const WORDS = 4u; //! define: of four elements of W: 4 of f32, 2 of a packed dtype
alias Words = vec4f; //! if WORDS 4
alias Words = vec2u; //! if WORDS 2

struct Params { m: u32, n: u32, k: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> norm_weight: array<vec2u>;
@group(0) @binding(3) var<storage, read> w: array<Words>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;

// Elements 4 i to 4 i + 3 of W.
fn read_w4(i: u32) -> vec4f { return w[i]; } //! if WORDS 4
fn read_w4(i: u32) -> vec4f { return unpack_two(w[i], W_DTYPE); } //! if WORDS 2

fn norm_weight_4(i: u32) -> vec4f {
  if (NORM_DTYPE == 3u) { return vec4f(1.0); }
  if (NORM_DTYPE == 0u) { return bitcast<vec4f>(vec4u(norm_weight[2u * i], norm_weight[2u * i + 1u])); }
  return unpack_two(norm_weight[i], NORM_DTYPE);
}

fn x_at(i: u32) -> f32 { return x[i / 4u][i % 4u]; }

// Four steps of k of the columns whose vectors begin at `at`: a row of the block to a vector.
fn block_of_w(at: vec4u, k: u32) -> mat4x4f {
  return transpose(mat4x4f(read_w4(at.x + k), read_w4(at.y + k), read_w4(at.z + k), read_w4(at.w + k)));
}

// What the first four lanes of the subgroup hold, and the next four.
fn of_first_four(v: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
fn of_next_four(v: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u));
}

fn spread_first(v: f32) -> vec4f {
  return vec4f(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
fn spread_next(v: f32) -> vec4f {
  return vec4f(subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u));
}

// Column `c` of a matrix, by choosing between registers.
fn pick(four: mat4x4f, c: u32) -> vec4f {
  return select(select(four[0], four[1], c == 1u), select(four[2], four[3], c == 3u), c >= 2u);
}

// Row `i` of the columns at `at`, by itself: its squares do not fit f32, or it has a NaN.
fn careful_sum(i: u32, at: vec4u) -> vec4f {
  let row = careful_row(i * params.k, params.k, false);
  var sum = vec4f();
  for (var k = 0u; k < params.k / 4u; k++) {
    sum += block_of_w(at, k) * (x[i * params.k / 4u + k] * row.scale * row.inverse * norm_weight_4(k));
  }
  return sum;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let blocks = (params.m + ROWS - 1u) / ROWS;
  let id = group.x + group.y * groups.x;
  let i = id % blocks * ROWS;
  let first = id / blocks * 4u * LANES;
  if (first >= params.n) { return; }
  // Rows and columns past the edge are the last again, and are not stored.
  let j = min(first + 4u * lane, params.n - 4u);
  let vectors = params.k / 4u;
  let at_w = (j + vec4u(0u, 1u, 2u, 3u)) * vectors;
  let at_up = at_w + params.n * vectors;
  let at_x = min(i + lane + vec2u(0u, 4u), vec2u(params.m - 1u)) * vectors;

  var low = mat4x4f();
  var high = mat4x4f();
  var up_low = mat4x4f();
  var up_high = mat4x4f();
  var squares = vec2f(); // of the row that the lane reads and, where there are four lanes, of the fourth after it
  for (var k = 0u; k < vectors; k++) {
    let y = block_of_w(at_w, k);
    var z = mat4x4f();
    if (GATED) { z = block_of_w(at_up, k); }
    var scale = vec4f(1.0);
    if (NORMALIZE) { scale = norm_weight_4(k); }
    let a = x[at_x.x + k];
    if (NORMALIZE) { squares.x += dot(a, a); }
    let first_rows = of_first_four(a * scale);
    low += y * first_rows;
    if (GATED) { up_low += z * first_rows; }
    if (ROWS > 4u) {
      var next_rows: mat4x4f;
      if (LANES == 8u) {
        next_rows = of_next_four(a * scale);
      } else {
        let b = x[at_x.y + k];
        if (NORMALIZE) { squares.y += dot(b, b); }
        next_rows = of_first_four(b * scale);
      }
      high += y * next_rows;
      if (GATED) { up_high += z * next_rows; }
    }
  }

  var first_inverses = vec4f();
  var next_inverses = vec4f();
  if (NORMALIZE) {
    let inverses = inverseSqrt(squares / f32(params.k) + params.eps);
    first_inverses = spread_first(inverses.x);
    if (LANES == 8u) { next_inverses = spread_next(inverses.x); } else { next_inverses = spread_first(inverses.y); }
  }
  if (first + 4u * lane >= params.n) { return; }
  for (var r = 0u; r < min(params.m - i, ROWS); r++) {
    let later = r >= 4u;
    var sum = select(pick(low, r % 4u), pick(high, r % 4u), later);
    var up = select(pick(up_low, r % 4u), pick(up_high, r % 4u), later);
    if (NORMALIZE) {
      let inverse = select(first_inverses, next_inverses, later)[r % 4u];
      sum *= inverse;
      up *= inverse;
      // Of squares that do not fit f32 it is 0.
      if (!(inverse > 0.0)) {
        sum = careful_sum(i + r, at_w);
        if (GATED) { up = careful_sum(i + r, at_up); }
      }
    }
    if (GATED) { sum *= sigmoid(sum) * up; }
    out[((i + r) * params.n + j) / 4u] = sum;
  }
}
