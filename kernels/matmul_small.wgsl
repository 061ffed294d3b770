// Matrix product with few rows, as in decoding, where nearly all the time goes into reading the weight once:
// out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j] for up to ROWS (1, 2, 4 or 8) rows to a workgroup.
// A workgroup computes ROWS rows of 4 · LANES_N columns. LANES_K lanes share each four columns and take four steps of k in turn, so that
// neighbouring lanes read neighbouring memory of B: along k when that is contiguous (LANES_N = 1), else along the columns. A lane
// reads a 4 × 4 block of B as four vectors. The lanes' sums are added in shared memory, pairwise and in a fixed order.
// Rows and columns past the edge are computed from others and not stored; past the end of k, nothing is read.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/matmul.wgsl

override ROWS: u32 = 1u;
override LANES_N: u32 = 1u;
// A power of two.
override LANES_K: u32 = 64u;

// k is not a multiple of four.
override K_TAIL: bool = true;

override LANES: u32 = LANES_N * LANES_K;

var<workgroup> sums: array<vec4f, ROWS * LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let blocks_m = (params.m + ROWS - 1u) / ROWS;
  let blocks_n = (params.n + 4u * LANES_N - 1u) / (4u * LANES_N);
  let id = group.x + group.y * groups.x;
  if (id >= params.batch * blocks_m * blocks_n) { return; }
  let lane_n = lane % LANES_N;
  let lane_k = lane / LANES_N;
  let i = id % blocks_m * ROWS;
  let j = (id / blocks_m % blocks_n * LANES_N + lane_n) * 4u;
  let z = id / blocks_m / blocks_n;
  let at_a = params.a_offset + z * params.a_batch + i * params.a_row;
  let at_b = params.b_offset + z * params.b_batch + j * params.b_column;

  let last = params.m - 1u - i;
  var sum: array<vec4f, 8>;
  let depth = depth_of(z);
  let whole = depth / 4u * 4u;
  for (var k = lane_k * 4u; k < whole; k += LANES_K * 4u) {
    let y = read_block(at_b + k * params.b_row);
    for (var r = 0u; r < ROWS; r++) {
      let at = at_a + min(r, last) * params.a_row + k * params.a_column;
      sum[r] += a[at] * y[0] + a[at + params.a_column] * y[1] + a[at + 2u * params.a_column] * y[2] + a[at + 3u * params.a_column] * y[3];
    }
  }
  if (K_TAIL && whole + lane_k < depth) {
    let k = whole + lane_k;
    let y = read_columns(at_b + k * params.b_row);
    for (var r = 0u; r < ROWS; r++) { sum[r] += a[at_a + min(r, last) * params.a_row + k * params.a_column] * y; }
  }

  for (var r = 0u; r < ROWS; r++) { sums[r * LANES + lane] = sum[r]; }
  for (var half = LANES_K / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    let width = half * LANES_N;
    for (var t = lane; t < ROWS * width; t += LANES) {
      let at = t / width * LANES + t % width;
      sums[at] += sums[at + width];
    }
  }
  workgroupBarrier();

  // One lane an element of the result.
  for (var t = lane; t < ROWS * LANES_N * 4u; t += LANES) {
    let r = t / (4u * LANES_N);
    let c = t % (4u * LANES_N);
    let column = id / blocks_m % blocks_n * LANES_N * 4u + c;
    if (i + r < params.m && column < params.n) {
      store(params.out_offset + z * params.out_batch + (i + r) * params.out_row + column, sums[r * LANES + c / 4u][c % 4u]);
    }
  }
}
