// Matrix product of inputs rounded to f16 on the matrix units of a subgroup: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j]. Every row of both operands, as
// stored, begins at a multiple of four elements, and k is a multiple of four.
// A workgroup computes a tile of TILE_M × TILE_N elements, a subgroup REGION_M × REGION_N of them in ROWS × COLUMNS matrices of sums; where
// there are fewer subgroups than regions, each takes several, one after another. Tiles of A and B, TILE_K deep, go through shared memory. They
// lie there as they are stored, four elements of a line to a lane, and the matrix units read them along either axis. While one tile is
// multiplied, each lane holds its part of the next in registers.
// Rows and columns past the edge, and steps past the end of k, are zeros.
// The kernel says what the units multiply (`Unit`) and how an input becomes that (`rounded`).

//! include lib/packed.wgsl
//! include lib/matmul_params.wgsl
//! include lib/half_scale.wgsl

// What the units multiply: UNIT_M × UNIT_K by UNIT_K × UNIT_N.
const UNIT_M = 16u; //! define
const UNIT_N = 16u; //! define
const UNIT_K = 16u; //! define
const TILE_M = 128u; //! define
const TILE_N = 128u; //! define
const REGION_N = 64u; //! define
const LANES = 256u; //! define: a multiple of the largest subgroup

const TILE_K = 32u;
const REGION_M = 32u;
const ROWS = REGION_M / UNIT_M;
const COLUMNS = REGION_N / UNIT_N;
const REGIONS_N = TILE_N / REGION_N;
const REGIONS = TILE_M / REGION_M * REGIONS_N;

override A_ALONG_K: bool = true; // A is stored [m, k]
override B_ALONG_K: bool = false; // B is stored [n, k]
override B_DTYPE: u32 = 0u;

@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec2u>;

alias Left = subgroup_matrix_left<Unit, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<Unit, UNIT_N, UNIT_K>;
alias Sum = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

// A line is as long as TILE_K or as the tile is wide, and a little further from the next, so that lanes that read along a column use different banks.
const PADDING = 8u;
const A_SIZE = max((TILE_K + PADDING) * TILE_M, (TILE_M + PADDING) * TILE_K);
const B_SIZE = max((TILE_K + PADDING) * TILE_N, (TILE_N + PADDING) * TILE_K);
const UNIT_SIZE = UNIT_M * UNIT_N;

var<workgroup> a_tile: array<Unit, A_SIZE>;
var<workgroup> b_tile: array<Unit, B_SIZE>;
// One matrix of sums a region, on its way out.
var<workgroup> sums_out: array<f32, UNIT_SIZE * REGIONS>;

// Elements `i` to `i + 3` of B as it is stored.
fn read_b4(i: u32) -> vec4f {
  if (B_DTYPE == 0u) { return bitcast<vec4f>(vec4u(b[i >> 1u], b[(i >> 1u) + 1u])); }
  let words = b[i >> 2u];
  return vec4f(unpack_pair(words.x, B_DTYPE), unpack_pair(words.y, B_DTYPE));
}

// Vectors that a lane holds of each tile, which is TILE_K by the tile's other side.
const HELD_A = TILE_M * TILE_K / 4u / LANES;
const HELD_B = TILE_N * TILE_K / 4u / LANES;
var<private> held_a: array<vec4f, HELD_A>;
var<private> held_b: array<vec4f, HELD_B>;

// Vector `t` of a tile: its line, and where it begins in the line.
fn place(t: u32, length: u32) -> vec2u { return vec2u(t / (length / 4u), t % (length / 4u) * 4u); }

// Reads a lane's part of the tiles from element `at` of each operand on; `rows`, `columns` and `depth` are what is left of the matrices.
fn fetch(lane: u32, at_a: u32, at_b: u32, rows: u32, columns: u32, depth: u32) {
  for (var h = 0u; h < HELD_A; h++) {
    let p = place(lane + h * LANES, select(TILE_M, TILE_K, A_ALONG_K));
    let inside = p.x < select(depth, rows, A_ALONG_K) && p.y < select(rows, depth, A_ALONG_K);
    held_a[h] = vec4f();
    if (inside) { held_a[h] = a[(at_a + p.x * select(params.a_column, params.a_row, A_ALONG_K) + p.y) / 4u]; }
  }
  for (var h = 0u; h < HELD_B; h++) {
    let p = place(lane + h * LANES, select(TILE_N, TILE_K, B_ALONG_K));
    let inside = p.x < select(depth, columns, B_ALONG_K) && p.y < select(columns, depth, B_ALONG_K);
    held_b[h] = vec4f();
    if (inside) { held_b[h] = read_b4(at_b + p.x * select(params.b_row, params.b_column, B_ALONG_K) + p.y); }
  }
}

// Writes what `fetch` read, rounded.
fn stage(lane: u32) {
  for (var h = 0u; h < HELD_A; h++) {
    let length = select(TILE_M, TILE_K, A_ALONG_K);
    let p = place(lane + h * LANES, length);
    let v = rounded(held_a[h] * scale_a);
    for (var c = 0u; c < 4u; c++) { a_tile[p.x * (length + PADDING) + p.y + c] = v[c]; }
  }
  for (var h = 0u; h < HELD_B; h++) {
    let length = select(TILE_N, TILE_K, B_ALONG_K);
    let p = place(lane + h * LANES, length);
    let v = rounded(held_b[h] * scale_b);
    for (var c = 0u; c < 4u; c++) { b_tile[p.x * (length + PADDING) + p.y + c] = v[c]; }
  }
}

// The matrix of the tile of A whose first element is (i, k), and that of B at (k, j).
fn left_at(i: u32, k: u32) -> Left {
  const along = TILE_K + PADDING;
  const across = TILE_M + PADDING;
  if (A_ALONG_K) { return subgroupMatrixLoad<Left, row_major>(&a_tile, i * along + k, along); }
  return subgroupMatrixLoad<Left, col_major>(&a_tile, k * across + i, across);
}

fn right_at(k: u32, j: u32) -> Right {
  const along = TILE_K + PADDING;
  const across = TILE_N + PADDING;
  if (B_ALONG_K) { return subgroupMatrixLoad<Right, col_major>(&b_tile, j * along + k, along); }
  return subgroupMatrixLoad<Right, row_major>(&b_tile, k * across + j, across);
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
  let tiles_m = (params.m + TILE_M - 1u) / TILE_M;
  let tiles_n = (params.n + TILE_N - 1u) / TILE_N;
  let id = group.x + group.y * groups.x;
  if (id >= params.batch * tiles_m * tiles_n) { return; }
  // Neighbouring workgroups go down the rows of A and share their columns of B.
  let row = id % tiles_m * TILE_M;
  let column = id / tiles_m % tiles_n * TILE_N;
  let z = id / tiles_m / tiles_n;
  let rows = params.m - row;
  let columns = params.n - column;
  let depth = depth_of(z);
  find_scales(lane);

  for (var first = 0u; first < REGIONS; first += subgroups) {
    let region = first + subgroup;
    let i = region / REGIONS_N * REGION_M;
    let j = region % REGIONS_N * REGION_N;
    var at_a = params.a_offset + z * params.a_batch + row * params.a_row;
    var at_b = params.b_offset + z * params.b_batch + column * params.b_column;
    var sums: array<Sum, ROWS * COLUMNS>;
    // Said, because some adapters keep a variable's value from one turn of a loop to the next.
    for (var s = 0u; s < ROWS * COLUMNS; s++) { sums[s] = Sum(); }
    fetch(lane, at_a, at_b, rows, columns, depth);
    for (var k = 0u; k < depth; k += TILE_K) {
      workgroupBarrier();
      stage(lane);
      workgroupBarrier();
      at_a += TILE_K * params.a_column;
      at_b += TILE_K * params.b_row;
      if (k + TILE_K < depth) { fetch(lane, at_a, at_b, rows, columns, depth - k - TILE_K); }
      for (var d = 0u; d < TILE_K; d += UNIT_K) {
        var left: array<Left, ROWS>;
        for (var r = 0u; r < ROWS; r++) { left[r] = left_at(i + r * UNIT_M, d); }
        for (var c = 0u; c < COLUMNS; c++) {
          let right = right_at(d, j + c * UNIT_N);
          for (var r = 0u; r < ROWS; r++) {
            sums[r * COLUMNS + c] = subgroupMatrixMultiplyAccumulate(left[r], right, sums[r * COLUMNS + c]);
          }
        }
      }
    }

    let mine = subgroup * UNIT_SIZE;
    for (var s = 0u; s < ROWS * COLUMNS; s++) {
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&sums_out, mine, sums[s], UNIT_N);
      workgroupBarrier();
      for (var e = subgroup_lane; e < UNIT_SIZE; e += subgroup_lanes) {
        let y = i + s / COLUMNS * UNIT_M + e / UNIT_N;
        let x = j + s % COLUMNS * UNIT_N + e % UNIT_N;
        if (y < rows && x < columns) {
          store(params.out_offset + z * params.out_batch + (row + y) * params.out_row + column + x, unscaled(sums_out[mine + e]));
        }
      }
    }
  }
}
