// matmul_subgroup.wgsl for operands that can be read in whole vectors: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j], where every row of both
// begins at a multiple of four elements, and k is a multiple of four. On a CPU's lanes a load of four neighbours takes half the time of
// four loads, and loads take most of the time. The tile is that of matmul_subgroup.wgsl. Each lane of a subgroup reads one vector of A: four
// steps of k of a row of its own or, where A is stored [k, m], four rows at one k. A kernel that includes this declares B and read_b4.

//! include lib/matmul_lanes.wgsl

// A is stored [m, k], so that its rows are contiguous.
override A_ALONG_K: bool = true;
// B is stored [n, k], so that its columns are contiguous.
override B_ALONG_K: bool = false;

// Four lanes exchange their rows of A, each lane in an order of its own, which takes one instruction for each element on SwiftShader; a
// broadcast takes five. It pays for a · bᵀ alone: a · b took twice the time, and aᵀ · b as long as before.
override QUADS: bool = !EIGHT_LANES && A_ALONG_K && B_ALONG_K;

@group(0) @binding(1) var<storage, read> a: array<vec4f>;

// A block of A, a row to a vector, from a vector in each of four lanes.
fn rows_of(four: mat4x4f) -> mat4x4f {
  if (A_ALONG_K) { return four; }
  return transpose(four);
}

// The same of the first four lanes.
fn first_rows_of(x: vec4f) -> mat4x4f {
  if (QUADS) { return of_quad(x); }
  return rows_of(of_first_four(x));
}

// A block of B, a row to a vector: those of its four vectors at `at` that are `step` further on.
fn block_of_b(at: vec4u, step: u32) -> mat4x4f {
  let four = mat4x4f(read_b4(at.x + step), read_b4(at.y + step), read_b4(at.z + step), read_b4(at.w + step));
  if (B_ALONG_K) { return transpose(four); }
  return four;
}

// Where the vectors of B begin from which a lane takes columns j … j + 3 at its first four k; those past the edge are the last again.
fn vectors_of_b(j: u32, z: u32) -> vec4u {
  let first = params.b_offset + z * params.b_batch;
  let four = vec4u(0u, 1u, 2u, 3u);
  if (B_ALONG_K) { return (first + min(j + four, vec4u(params.n - 1u)) * params.b_column) / 4u; }
  return (first + min(j, params.n - 4u) * params.b_column + four * params.b_row) / 4u;
}

// Where the vectors of A begin that a lane reads for rows i … i + ROWS - 1 at the first four k; rows past the edge are the last again.
fn vectors_of_a(i: u32, z: u32, subgroup_lane: u32) -> vec4u {
  let first = params.a_offset + z * params.a_batch;
  let own = subgroup_lane % 4u;
  var rows = i + 4u * vec4u(0u, 1u, 2u, 3u);
  if (EIGHT_LANES) { rows += rows - i + subgroup_lane / 4u % 2u * 4u; }
  if (A_ALONG_K) { return (first + min(rows + own, vec4u(params.m - 1u)) * params.a_row) / 4u; }
  return (first + min(rows, vec4u(params.m - 4u)) * params.a_row + own * params.a_column) / 4u;
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

  let at_a = vectors_of_a(i, z, subgroup_lane);
  let at_b = vectors_of_b(j, z);
  let step_a = params.a_column;
  let step_b = params.b_row;
  var s0 = mat4x4f();
  var s1 = mat4x4f();
  var s2 = mat4x4f();
  var s3 = mat4x4f();

  let steps = depth_of(z) / 4u;
  for (var k = 0u; k < steps; k++) {
    let y = block_of_b(at_b, k * step_b);
    let x = a[at_a.x + k * step_a];
    s0 += y * first_rows_of(x);
    if (EIGHT_LANES) {
      if (ROWS > 4u) { s1 += y * rows_of(of_next_four(x)); }
      if (ROWS > 8u) {
        let lower = a[at_a.y + k * step_a];
        s2 += y * first_rows_of(lower);
        s3 += y * rows_of(of_next_four(lower));
      }
    } else {
      if (ROWS > 4u) { s1 += y * first_rows_of(a[at_a.y + k * step_a]); }
      if (ROWS > 8u) {
        s2 += y * first_rows_of(a[at_a.z + k * step_a]);
        s3 += y * first_rows_of(a[at_a.w + k * step_a]);
      }
    }
  }
  store_sums(s0, s1, s2, s3, i, j, z, select(0u, subgroup_lane % 4u, QUADS));
}
