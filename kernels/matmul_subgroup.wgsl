enable subgroups;

// Matrix product for adapters whose lanes are a CPU's, where a load is dear and a broadcast in a subgroup is cheap:
// out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j].
// A workgroup computes 8 rows by 4 · LANES columns, a lane 8 × 4 elements in registers. It takes four steps of k at a time: the lanes of a
// subgroup read four elements of each row of A between them and hand them round; each lane reads the 4 × 4 block of B above its
// columns as four vectors along whichever axis is contiguous. Right for any subgroup of at least four lanes; LANES is a multiple of
// the largest. No shared memory, no barrier.
// Rows and columns past the edge are computed from whatever is read there and not stored; past the end of k, nothing is read.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/packed.wgsl
//! include lib/matmul.wgsl

override LANES: u32 = 16u;
override B_ALONG_K: bool = false;

// Elements B[k … k + 3, j … j + 3], a row of B to a vector.
fn read_block(at: u32) -> mat4x4f {
  if (B_ALONG_K) {
    let step = params.b_column;
    return transpose(mat4x4f(read_b4(at), read_b4(at + step), read_b4(at + 2u * step), read_b4(at + 3u * step)));
  }
  let step = params.b_row;
  return mat4x4f(read_b4(at), read_b4(at + step), read_b4(at + 2u * step), read_b4(at + 3u * step));
}

// Adds the four steps of one row: `x` holds A[i, k … k + 3] in the first four lanes of the subgroup.
fn add_row(sum: vec4f, x: f32, y: mat4x4f) -> vec4f {
  return sum + subgroupBroadcast(x, 0u) * y[0] + subgroupBroadcast(x, 1u) * y[1] + subgroupBroadcast(x, 2u) * y[2] + subgroupBroadcast(x, 3u) * y[3];
}

fn store_row(at: u32, columns: u32, sum: vec4f) {
  if (columns > 0u) { store(at, sum.x); }
  if (columns > 1u) { store(at + 1u, sum.y); }
  if (columns > 2u) { store(at + 2u, sum.z); }
  if (columns > 3u) { store(at + 3u, sum.w); }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let blocks_m = (params.m + 7u) / 8u;
  let blocks_n = (params.n + 4u * LANES - 1u) / (4u * LANES);
  let id = group.x + group.y * groups.x;
  if (id >= params.batch * blocks_m * blocks_n) { return; }
  // Neighbouring workgroups go down the rows of A and share their columns of B.
  let i = id % blocks_m * 8u;
  let j = (id / blocks_m % blocks_n * LANES + lane) * 4u;
  let z = id / blocks_m / blocks_n;

  let row = params.a_row;
  var at_a = params.a_offset + z * params.a_batch + i * row;
  var at_b = params.b_offset + z * params.b_batch + j * params.b_column;
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();

  let whole = params.k / 4u;
  let mine = at_a + (subgroup_lane & 3u) * params.a_column;
  for (var step = 0u; step < whole; step++) {
    let at = mine + step * 4u * params.a_column;
    let x0 = a[at];
    let x1 = a[at + row];
    let x2 = a[at + 2u * row];
    let x3 = a[at + 3u * row];
    let x4 = a[at + 4u * row];
    let x5 = a[at + 5u * row];
    let x6 = a[at + 6u * row];
    let x7 = a[at + 7u * row];
    let y = read_block(at_b);
    s0 = add_row(s0, x0, y);
    s1 = add_row(s1, x1, y);
    s2 = add_row(s2, x2, y);
    s3 = add_row(s3, x3, y);
    s4 = add_row(s4, x4, y);
    s5 = add_row(s5, x5, y);
    s6 = add_row(s6, x6, y);
    s7 = add_row(s7, x7, y);
    at_b += 4u * params.b_row;
  }
  for (var k = whole * 4u; k < params.k; k++) {
    let at = at_a + k * params.a_column;
    let column = params.b_column;
    let y = vec4f(read_b(at_b), read_b(at_b + column), read_b(at_b + 2u * column), read_b(at_b + 3u * column));
    s0 += a[at] * y;
    s1 += a[at + row] * y;
    s2 += a[at + 2u * row] * y;
    s3 += a[at + 3u * row] * y;
    s4 += a[at + 4u * row] * y;
    s5 += a[at + 5u * row] * y;
    s6 += a[at + 6u * row] * y;
    s7 += a[at + 7u * row] * y;
    at_b += params.b_row;
  }

  if (j >= params.n) { return; }
  let rows = params.m - i;
  let columns = params.n - j;
  let at = params.out_offset + z * params.out_batch + i * params.out_row + j;
  store_row(at, columns, s0);
  if (rows > 1u) { store_row(at + params.out_row, columns, s1); }
  if (rows > 2u) { store_row(at + 2u * params.out_row, columns, s2); }
  if (rows > 3u) { store_row(at + 3u * params.out_row, columns, s3); }
  if (rows > 4u) { store_row(at + 4u * params.out_row, columns, s4); }
  if (rows > 5u) { store_row(at + 5u * params.out_row, columns, s5); }
  if (rows > 6u) { store_row(at + 6u * params.out_row, columns, s6); }
  if (rows > 7u) { store_row(at + 7u * params.out_row, columns, s7); }
}
