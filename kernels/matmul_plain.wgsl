// Matrix product, the baseline for the faster kernels: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j].
// One lane an element of out, in row-major order; nothing is shared between lanes.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/matmul.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = (group.x + group.y * groups.x) * 64u + lane;
  if (id >= params.batch * params.m * params.n) { return; }
  let j = id % params.n;
  let i = id / params.n % params.m;
  let z = id / params.n / params.m;

  var at_a = params.a_offset + z * params.a_batch + i * params.a_row;
  var at_b = params.b_offset + z * params.b_batch + j * params.b_column;
  let depth = depth_of(z);
  var sum = 0.0;
  for (var k = 0u; k < depth; k++) {
    sum += a[at_a] * read_b(at_b);
    at_a += params.a_column;
    at_b += params.b_row;
  }
  store(params.out_offset + z * params.out_batch + i * params.out_row + j, sum);
}
