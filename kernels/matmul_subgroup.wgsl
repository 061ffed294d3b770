enable subgroups;

// Matrix product for adapters whose lanes are a CPU's, where a load is dear and a broadcast in a subgroup is cheap:
// out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j].
// A workgroup computes ROWS (1, 2, 4 or 8) rows by 4 · LANES columns, a lane ROWS × 4 elements in registers. It takes four steps of k at a time: the lanes of a
// subgroup read four elements of each row of A between them and hand them round; each lane reads the 4 × 4 block of B above its
// columns as four vectors along whichever axis is contiguous. Right for any subgroup of at least four lanes; LANES is a multiple of
// the largest. No shared memory, no barrier.
// Rows and columns past the edge are computed from whatever is read there and not stored; past the end of k, nothing is read.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/packed.wgsl
//! include lib/matmul.wgsl

override ROWS: u32 = 8u;
override LANES: u32 = 16u;
// k is not a multiple of four.
override K_TAIL: bool = true;

// Row `r` of A at one k, or nothing for a row that this variant does not have.
fn read_a(at: u32, r: u32) -> f32 {
  if (r >= ROWS) { return 0.0; }
  return a[at + r * params.a_row];
}

// Adds the four steps of row `r`: `x` holds A[i + r, k … k + 3] in the first four lanes of the subgroup.
fn add_row(sum: vec4f, r: u32, x: f32, y: mat4x4f) -> vec4f {
  if (r >= ROWS) { return sum; }
  return sum + subgroupBroadcast(x, 0u) * y[0] + subgroupBroadcast(x, 1u) * y[1] + subgroupBroadcast(x, 2u) * y[2] + subgroupBroadcast(x, 3u) * y[3];
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let blocks_m = (params.m + ROWS - 1u) / ROWS;
  let blocks_n = (params.n + 4u * LANES - 1u) / (4u * LANES);
  let id = group.x + group.y * groups.x;
  if (id >= params.batch * blocks_m * blocks_n) { return; }
  // Neighbouring workgroups go down the rows of A and share their columns of B.
  let i = id % blocks_m * ROWS;
  let j = (id / blocks_m % blocks_n * LANES + lane) * 4u;
  let z = id / blocks_m / blocks_n;

  var at_a = params.a_offset + z * params.a_batch + i * params.a_row;
  var at_b = params.b_offset + z * params.b_batch + j * params.b_column;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();

  let depth = depth_of(z);
  let whole = depth / 4u;
  let mine = at_a + (subgroup_lane & 3u) * params.a_column;
  for (var step = 0u; step < whole; step++) {
    let at = mine + step * 4u * params.a_column;
    let x0 = read_a(at, 0u);
    let x1 = read_a(at, 1u);
    let x2 = read_a(at, 2u);
    let x3 = read_a(at, 3u);
    let x4 = read_a(at, 4u);
    let x5 = read_a(at, 5u);
    let x6 = read_a(at, 6u);
    let x7 = read_a(at, 7u);
    let y = read_block(at_b);
    s0 = add_row(s0, 0u, x0, y);
    s1 = add_row(s1, 1u, x1, y);
    s2 = add_row(s2, 2u, x2, y);
    s3 = add_row(s3, 3u, x3, y);
    s4 = add_row(s4, 4u, x4, y);
    s5 = add_row(s5, 5u, x5, y);
    s6 = add_row(s6, 6u, x6, y);
    s7 = add_row(s7, 7u, x7, y);
    at_b += 4u * params.b_row;
  }
  for (var k = whole * 4u; K_TAIL && k < depth; k++) {
    let at = at_a + k * params.a_column;
    let y = read_columns(at_b);
    s0 += read_a(at, 0u) * y;
    s1 += read_a(at, 1u) * y;
    s2 += read_a(at, 2u) * y;
    s3 += read_a(at, 3u) * y;
    s4 += read_a(at, 4u) * y;
    s5 += read_a(at, 5u) * y;
    s6 += read_a(at, 6u) * y;
    s7 += read_a(at, 7u) * y;
    at_b += params.b_row;
  }

  if (j >= params.n) { return; }
  let rows = min(params.m - i, ROWS);
  let columns = params.n - j;
  var at = params.out_offset + z * params.out_batch + i * params.out_row + j;
  // A loop that cannot be unrolled, and a choice between registers: eight copies of the stores take longer to compile than all the rest.
  for (var r = 0u; r < rows; r++) {
    let upper = select(select(s0, s1, r == 1u), select(s2, s3, r == 3u), r >= 2u);
    let lower = select(select(s4, s5, r == 5u), select(s6, s7, r == 7u), r >= 6u);
    let sum = select(upper, lower, r >= 4u);
    store(at, sum.x);
    if (columns > 1u) { store(at + 1u, sum.y); }
    if (columns > 2u) { store(at + 2u, sum.z); }
    if (columns > 3u) { store(at + 3u, sum.w); }
    at += params.out_row;
  }
}
