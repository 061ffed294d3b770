// What matmul_tiled.wgsl and matmul_halves.wgsl share: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j]. Products and sums are f32; the kernel says
// what a tile holds (`Held`), how an operand becomes that (`hold_a`, `hold_b`), and what a sum is worth (`worth`).
// A workgroup computes a tile of (8 · LANES_M) × (4 · LANES_N) elements, a lane 8 × 4 of them in registers. Tiles of A and B,
// TILE_K deep, go through shared memory with k outermost, so that a lane reads its rows and columns as vectors. A lane fills
// one vector (four rows or columns at one k) at a time; neighbouring lanes go along whichever of the two is contiguous
// in the operand. A tile that lies wholly inside the matrices skips every bounds check.

//! include lib/matmul.wgsl

override LANES_M: u32 = 8u;
override LANES_N: u32 = 16u;
override TILE_K: u32 = 16u;
override A_ALONG_K: bool = true;

// Vectors in a row of a tile. One vector of padding lets lanes that write along a column use different banks.
override A_VECTORS: u32 = 2u * LANES_M;
override B_VECTORS: u32 = LANES_N;
override A_STRIDE: u32 = A_VECTORS + 1u;
override B_STRIDE: u32 = B_VECTORS + 1u;

var<workgroup> a_tile: array<Held, TILE_K * A_STRIDE>;
var<workgroup> b_tile: array<Held, TILE_K * B_STRIDE>;

// Tile position `t` as (vector, k): k runs fastest where memory does.
fn place(t: u32, vectors: u32, along_k: bool) -> vec2u {
  if (along_k) { return vec2u(t / TILE_K, t % TILE_K); }
  return vec2u(t % vectors, t / vectors);
}

fn load_whole(lane: u32, at_a: u32, at_b: u32) {
  for (var t = lane; t < A_VECTORS * TILE_K; t += LANES_M * LANES_N) {
    let p = place(t, A_VECTORS, A_ALONG_K);
    let at = at_a + p.x * 4u * params.a_row + p.y * params.a_column;
    let v = vec4f(a[at], a[at + params.a_row], a[at + 2u * params.a_row], a[at + 3u * params.a_row]);
    a_tile[p.y * A_STRIDE + p.x] = hold_a(v);
  }
  for (var t = lane; t < B_VECTORS * TILE_K; t += LANES_M * LANES_N) {
    let p = place(t, B_VECTORS, B_ALONG_K);
    let at = at_b + p.x * 4u * params.b_column + p.y * params.b_row;
    let v = vec4f(read_b(at), read_b(at + params.b_column), read_b(at + 2u * params.b_column), read_b(at + 3u * params.b_column));
    b_tile[p.y * B_STRIDE + p.x] = hold_b(v);
  }
}

// As above, with zeros for what lies outside: `rows`, `columns` and `depth` are what is left of the matrices from here on.
fn load_edge(lane: u32, at_a: u32, at_b: u32, rows: u32, columns: u32, depth: u32) {
  for (var t = lane; t < A_VECTORS * TILE_K; t += LANES_M * LANES_N) {
    let p = place(t, A_VECTORS, A_ALONG_K);
    var v = vec4f();
    for (var c = 0u; c < 4u; c++) {
      let i = p.x * 4u + c;
      if (i < rows && p.y < depth) { v[c] = a[at_a + i * params.a_row + p.y * params.a_column]; }
    }
    a_tile[p.y * A_STRIDE + p.x] = hold_a(v);
  }
  for (var t = lane; t < B_VECTORS * TILE_K; t += LANES_M * LANES_N) {
    let p = place(t, B_VECTORS, B_ALONG_K);
    var v = vec4f();
    for (var c = 0u; c < 4u; c++) {
      let j = p.x * 4u + c;
      if (j < columns && p.y < depth) { v[c] = read_b(at_b + j * params.b_column + p.y * params.b_row); }
    }
    b_tile[p.y * B_STRIDE + p.x] = hold_b(v);
  }
}

@compute @workgroup_size(LANES_M * LANES_N)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tiles_m = (params.m + 8u * LANES_M - 1u) / (8u * LANES_M);
  let tiles_n = (params.n + 4u * LANES_N - 1u) / (4u * LANES_N);
  let id = group.x + group.y * groups.x;
  if (id >= params.batch * tiles_m * tiles_n) { return; }
  // Neighbouring workgroups go down the rows of A and share their columns of B, which is the weight.
  let row = id % tiles_m * 8u * LANES_M;
  let column = id / tiles_m % tiles_n * 4u * LANES_N;
  let z = id / tiles_m / tiles_n;
  let rows = params.m - row;
  let columns = params.n - column;
  let inside = rows >= 8u * LANES_M && columns >= 4u * LANES_N;

  prepare(lane);
  let lane_m = lane / LANES_N;
  let lane_n = lane % LANES_N;
  var at_a = params.a_offset + z * params.a_batch + row * params.a_row;
  var at_b = params.b_offset + z * params.b_batch + column * params.b_column;
  var sum: array<vec4f, 8>;
  let depth = depth_of(z);
  for (var k = 0u; k < depth; k += TILE_K) {
    let left = depth - k;
    if (inside && left >= TILE_K) { load_whole(lane, at_a, at_b); } else { load_edge(lane, at_a, at_b, rows, columns, left); }
    workgroupBarrier();
    for (var d = 0u; d < TILE_K; d++) {
      let low = vec4f(a_tile[d * A_STRIDE + lane_m]);
      let high = vec4f(a_tile[d * A_STRIDE + lane_m + LANES_M]);
      let y = vec4f(b_tile[d * B_STRIDE + lane_n]);
      sum[0] += low.x * y;
      sum[1] += low.y * y;
      sum[2] += low.z * y;
      sum[3] += low.w * y;
      sum[4] += high.x * y;
      sum[5] += high.y * y;
      sum[6] += high.z * y;
      sum[7] += high.w * y;
    }
    workgroupBarrier();
    at_a += TILE_K * params.a_column;
    at_b += TILE_K * params.b_row;
  }

  let at_out = params.out_offset + z * params.out_batch + row * params.out_row + column + lane_n * 4u;
  for (var r = 0u; r < 8u; r++) {
    // Rows lane_m·4 … +3 of the tile's upper half, then the same of its lower half.
    let i = (r / 4u * LANES_M + lane_m) * 4u + r % 4u;
    for (var c = 0u; c < 4u; c++) {
      if (i < rows && lane_n * 4u + c < columns) { store(at_out + i * params.out_row + c, worth(sum[r][c])); }
    }
  }
}
