// Matrix product with one row, as in decoding, of operands that can be read in whole vectors, for adapters whose lanes are a CPU's:
// out[z, 0, j] = Σₖ A[z, 0, k] · B[z, k, j], where every row of B, as stored, begins at a multiple of four elements, and k is a multiple
// of four. Nearly all the time goes into reading B once; A is read by all lanes alike.
// A lane takes four neighbouring columns: four vectors of B at a time, whichever way it is stored. Columns past the edge repeat the last one
// and are not stored.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/packed.wgsl
//! include lib/matmul_params.wgsl

override LANES: u32 = 32u;
// B is stored [n, k], so that its columns are contiguous.
override B_ALONG_K: bool = false;
override B_DTYPE: u32 = 0u; // lib/packed.wgsl
const WORDS = 4u; //! define: of four elements of B: 4 of f32, 2 of a packed dtype
alias Words = vec4f; //! if WORDS 4
alias Words = vec2u; //! if WORDS 2

@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<Words>;

// Elements 4 i to 4 i + 3 of B as it is stored.
fn read_b4(i: u32) -> vec4f { return b[i]; } //! if WORDS 4
fn read_b4(i: u32) -> vec4f { return unpack_two(b[i], B_DTYPE); } //! if WORDS 2

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let blocks = (params.n + 4u * LANES - 1u) / (4u * LANES);
  let id = group.x + group.y * groups.x;
  let z = id / blocks;
  let j = (id % blocks * LANES + lane) * 4u;
  if (z >= params.batch || j >= params.n) { return; }
  let at_a = (params.a_offset + z * params.a_batch) / 4u;
  var at = (params.b_offset + z * params.b_batch + j * params.b_column) / 4u;
  let vectors = depth_of(z) / 4u;
  var sum = vec4f();
  if (B_ALONG_K) {
    let to = min(vec3u(1u, 2u, 3u), vec3u(params.n - 1u - j)) * (params.b_column / 4u);
    var sums = mat4x4f(); // of each column, over every fourth step of k
    for (var c = 0u; c < vectors; c++) {
      let x = a[at_a + c];
      sums += mat4x4f(x * read_b4(at), x * read_b4(at + to.x), x * read_b4(at + to.y), x * read_b4(at + to.z));
      at++;
    }
    sum = vec4f(1.0) * sums;
  } else {
    let step = params.b_row / 4u;
    for (var c = 0u; c < vectors; c++) {
      let x = a[at_a + c];
      sum += (x.x * read_b4(at) + x.y * read_b4(at + step)) + (x.z * read_b4(at + 2u * step) + x.w * read_b4(at + 3u * step));
      at += 4u * step;
    }
  }
  let out_at = params.out_offset + z * params.out_batch + j;
  store(out_at, sum.x);
  if (j + 1u < params.n) { store(out_at + 1u, sum.y); }
  if (j + 2u < params.n) { store(out_at + 2u, sum.z); }
  if (j + 3u < params.n) { store(out_at + 3u, sum.w); }
}
