// matmul_subgroup.wgsl for operands that can be read in whole vectors: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j], where every row of both
// begins at a multiple of four elements, and k is a multiple of four. On a CPU's lanes a load of four neighbours takes half the time of
// four loads, and loads take most of the time. The tile is that of matmul_subgroup.wgsl. Each lane of a subgroup reads one vector of A: four
// steps of k of a row of its own or, where A is stored [k, m], four rows at one k. A kernel that includes this declares B and read_b4.

//! include lib/matmul_lanes.wgsl

// A is stored [m, k], so that its rows are contiguous.
override A_ALONG_K: bool = true;
// B is stored [n, k], so that its columns are contiguous.
override B_ALONG_K: bool = false;

@group(0) @binding(1) var<storage, read> a: array<vec4f>;

// A block of A, a row to a vector, from a vector in each of four lanes.
fn rows_of(four: mat4x4f) -> mat4x4f {
  if (A_ALONG_K) { return four; }
  return transpose(four);
}

// Elements B[k … k + 3, j … j + 3], a row of B to a vector, from the element at `at` on.
fn block_of_b(at: u32) -> mat4x4f {
  let step = select(params.b_row, params.b_column, B_ALONG_K);
  let four = mat4x4f(read_b4(at), read_b4(at + step), read_b4(at + 2u * step), read_b4(at + 3u * step));
  if (B_ALONG_K) { return transpose(four); }
  return four;
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

  var at_b = params.b_offset + z * params.b_batch + j * params.b_column;
  let four = subgroup_lane % 4u;
  var at_a = params.a_offset + z * params.a_batch + i * params.a_row + four * select(params.a_column, params.a_row, A_ALONG_K);
  if (EIGHT_LANES) { at_a += subgroup_lane / 4u % 2u * 4u * params.a_row; }
  var s0 = mat4x4f();
  var s1 = mat4x4f();
  var s2 = mat4x4f();
  var s3 = mat4x4f();

  let depth = depth_of(z);
  for (var k = 0u; k < depth; k += 4u) {
    let y = block_of_b(at_b);
    let x = a[at_a / 4u];
    s0 += y * rows_of(of_first_four(x));
    if (EIGHT_LANES) {
      if (ROWS > 4u) { s1 += y * rows_of(of_next_four(x)); }
      if (ROWS > 8u) {
        let lower = a[(at_a + 8u * params.a_row) / 4u];
        s2 += y * rows_of(of_first_four(lower));
        s3 += y * rows_of(of_next_four(lower));
      }
    } else {
      if (ROWS > 4u) { s1 += y * rows_of(of_first_four(a[(at_a + 4u * params.a_row) / 4u])); }
      if (ROWS > 8u) {
        s2 += y * rows_of(of_first_four(a[(at_a + 8u * params.a_row) / 4u]));
        s3 += y * rows_of(of_first_four(a[(at_a + 12u * params.a_row) / 4u]));
      }
    }
    at_a += 4u * params.a_column;
    at_b += 4u * params.b_row;
  }
  store_sums(s0, s1, s2, s3, i, j, z);
}
