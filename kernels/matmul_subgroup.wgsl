enable subgroups;

// Matrix product for adapters whose lanes are a CPU's, where loading a value into a lane takes as long as several multiplications and a
// broadcast in a subgroup is cheap: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j].
// A workgroup computes ROWS (1, 4, 8 or 16) rows by 4 · LANES columns, a lane ROWS × 4 elements in registers, as 4 × 4 matrices. It takes
// four steps of k at a time: four lanes together read A[…, k … k + 3] and broadcast it to the subgroup; each lane reads the 4 × 4 block of B
// above its columns as vectors along whichever axis is contiguous. It needs subgroups of four lanes or more; LANES is a multiple
// of the largest. No shared memory, no barrier.
// Rows and columns past the edge are computed from others and not stored; past the end of k, nothing is read.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/matmul.wgsl
//! include lib/matmul_lanes.wgsl

// k is not a multiple of four.
override K_TAIL: bool = true;

// Rows `r` to `r + 3` of A at one k, as far as this variant has them; in place of those after row `last`, that row.
fn read_rows(at: u32, r: u32, last: u32) -> vec4f {
  if (r >= ROWS) { return vec4f(); }
  if (ROWS == 1u) { return vec4f(a[at], 0.0, 0.0, 0.0); }
  let rows = at + min(r + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * params.a_row;
  return vec4f(a[rows.x], a[rows.y], a[rows.z], a[rows.w]);
}

// A block of A, a row to a vector. Each of the four lanes holds its four rows at one k.
fn rows_of_first_four(rows: vec4f) -> mat4x4f { return transpose(of_first_four(rows)); }
fn rows_of_next_four(rows: vec4f) -> mat4x4f { return transpose(of_next_four(rows)); }

fn outer(column: vec4f, row: vec4f) -> mat4x4f {
  return mat4x4f(column * row.x, column * row.y, column * row.z, column * row.w);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let block = block_of(group, groups);
  let i = block.x;
  let j = block.y + 4u * lane;
  let z = block.z;
  if (z >= params.batch) { return; }

  let at_a = params.a_offset + z * params.a_batch + i * params.a_row;
  var at_b = params.b_offset + z * params.b_batch + j * params.b_column;
  // Column r of matrix s is row 4 s + r of the result: a product of blocks is one of matrices with both sides transposed.
  var s0 = mat4x4f();
  var s1 = mat4x4f();
  var s2 = mat4x4f();
  var s3 = mat4x4f();

  let depth = depth_of(z);
  let whole = depth / 4u * 4u;
  var mine = at_a + subgroup_lane % 4u * params.a_column;
  let last = params.m - 1u - i;
  var own_last = last;
  if (EIGHT_LANES) {
    let skipped = min(subgroup_lane / 4u % 2u * 4u, last);
    mine += skipped * params.a_row;
    own_last -= skipped;
  }
  for (var k = 0u; k < whole; k += 4u) {
    let at = mine + k * params.a_column;
    let y = read_block(at_b);
    let x = read_rows(at, 0u, own_last);
    s0 += y * rows_of_first_four(x);
    if (EIGHT_LANES) {
      if (ROWS > 4u) { s1 += y * rows_of_next_four(x); }
      if (ROWS > 8u) {
        let lower = read_rows(at, 8u, own_last);
        s2 += y * rows_of_first_four(lower);
        s3 += y * rows_of_next_four(lower);
      }
    } else {
      if (ROWS > 4u) { s1 += y * rows_of_first_four(read_rows(at, 4u, last)); }
      if (ROWS > 8u) {
        s2 += y * rows_of_first_four(read_rows(at, 8u, last));
        s3 += y * rows_of_first_four(read_rows(at, 12u, last));
      }
    }
    at_b += 4u * params.b_row;
  }
  for (var k = whole; K_TAIL && k < depth; k++) {
    let at = at_a + k * params.a_column;
    let y = read_columns(at_b);
    s0 += outer(y, read_rows(at, 0u, last));
    s1 += outer(y, read_rows(at, 4u, last));
    s2 += outer(y, read_rows(at, 8u, last));
    s3 += outer(y, read_rows(at, 12u, last));
    at_b += params.b_row;
  }

  store_sums(s0, s1, s2, s3, i, j, z, 0u);
}
