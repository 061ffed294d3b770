// What the matmul kernels share whose lanes are a CPU's: each of a workgroup's LANES lanes holds ROWS × 4 sums in registers, as four matrices.

//! include lib/matmul_params.wgsl

override ROWS: u32 = 16u;
override LANES: u32 = 16u;
// Every subgroup has eight lanes or more: the second four read the next four rows.
override EIGHT_LANES: bool = false;

// The first row and column of a workgroup's sums, and their product, which is past the batch where there is nothing to do.
fn block_of(group: vec3u, groups: vec3u) -> vec3u {
  let blocks_m = (params.m + ROWS - 1u) / ROWS;
  let blocks_n = (params.n + 4u * LANES - 1u) / (4u * LANES);
  let id = group.x + group.y * groups.x;
  // Neighbouring workgroups go down the rows of A and share their columns of B.
  return vec3u(id % blocks_m * ROWS, id / blocks_m % blocks_n * 4u * LANES, id / blocks_m / blocks_n);
}

// Each of the subgroup's first four lanes holds a vector of A; those of the four lanes as a matrix.
fn of_first_four(x: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
}

// Those of the next four lanes.
fn of_next_four(x: vec4f) -> mat4x4f {
  return mat4x4f(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
}

// The vectors of a lane's quad: that of the lane itself, then of those whose numbers differ from its own by 1, 2 and 3 in their bits.
fn of_quad(x: vec4f) -> mat4x4f { return mat4x4f(x, quadSwapX(x), quadSwapY(x), quadSwapDiagonal(x)); }

// Column `r` of a matrix, by choosing between registers.
fn pick(four: mat4x4f, r: u32) -> vec4f {
  return select(select(four[0], four[1], r == 1u), select(four[2], four[3], r == 3u), r >= 2u);
}

// Stores a lane's sums, of row i on and of column j on in product z. Column r of matrix s is row 4 s + (r xor twist).
fn store_sums(s0: mat4x4f, s1: mat4x4f, s2: mat4x4f, s3: mat4x4f, i: u32, j: u32, z: u32, twist: u32) {
  if (j >= params.n) { return; }
  let rows = min(params.m - i, ROWS);
  let columns = params.n - j;
  var at = params.out_offset + z * params.out_batch + i * params.out_row + j;
  // A loop that cannot be unrolled: sixteen copies of the stores take longer to compile than all the rest.
  for (var row = 0u; row < rows; row++) {
    let r = row ^ twist;
    let upper = select(pick(s0, r % 4u), pick(s1, r % 4u), r >= 4u);
    let lower = select(pick(s2, r % 4u), pick(s3, r % 4u), r >= 12u);
    let sum = select(upper, lower, r >= 8u);
    store(at, sum.x);
    if (columns > 1u) { store(at + 1u, sum.y); }
    if (columns > 2u) { store(at + 2u, sum.z); }
    if (columns > 3u) { store(at + 3u, sum.w); }
    at += params.out_row;
  }
}
