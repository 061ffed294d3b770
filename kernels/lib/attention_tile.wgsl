// What the tile kernels of attention share. A workgroup of 128 threads has 32 rows of its own (queries, or keys) and meets 32
// other rows (keys, or queries) at a time. Thread (x, y) of 16 × 8 has own rows y, y + 8, y + 16, y + 24; of their products it
// has those with other rows x and x + 16, and of their sums every 16th vector from x on.
// The kernel says what the rows are: own_vector(pair, at) and other_vector(pair, at).

const ROWS = 32u;
const THREADS = 128u;
const CHUNK = 8u; // vectors of a row in shared memory at a time
const PITCH = 9u; // one vector more, so that neighbouring threads do not meet in a bank
const ROW_PITCH = 33u;

override COLUMNS: u32 = (VECTORS + 15u) / 16u; // of a thread, at most 4

var<workgroup> own_chunk: array<vec4f, ROWS * PITCH>;
var<workgroup> other_chunk: array<vec4f, ROWS * PITCH>;
var<workgroup> weights: array<f32, ROWS * ROW_PITCH>; // weights[own row, other row]

// Rows of a tensor: where row 0 begins and how far apart they are, in vectors; rows past the last repeat it.
struct Rows { at: u32, stride: u32, first: u32, last: u32 }

fn row_at(rows: Rows, row: u32) -> u32 { return rows.at + min(rows.first + row, rows.last) * rows.stride; }

// Products of a thread's own rows with its two other rows. Begins with a barrier.
fn products(pair: u32, own: Rows, other: Rows, thread: u32) -> array<vec2f, 4> {
  let x = thread % 16u;
  let y = thread / 16u;
  var sums = array<vec2f, 4>();
  // Bounded by a parameter, not by the constant: compilers that unroll whatever they can would take minutes.
  for (var first = 0u; first < params.vectors; first += CHUNK) {
    let width = min(CHUNK, params.vectors - first);
    workgroupBarrier();
    for (var i = thread; i < ROWS * CHUNK; i += THREADS) {
      let row = i / CHUNK;
      let d = i % CHUNK;
      if (d < width) {
        own_chunk[row * PITCH + d] = own_vector(pair, row_at(own, row) + first + d);
        other_chunk[row * PITCH + d] = other_vector(pair, row_at(other, row) + first + d);
      }
    }
    workgroupBarrier();
    for (var d = 0u; d < width; d++) {
      let a = other_chunk[x * PITCH + d];
      let b = other_chunk[(x + 16u) * PITCH + d];
      for (var i = 0u; i < 4u; i++) {
        let mine = own_chunk[(y + 8u * i) * PITCH + d];
        sums[i] += vec2f(dot(mine, a), dot(mine, b));
      }
    }
  }
  return sums;
}

fn set_weights(thread: u32, i: u32, values: vec2f) {
  let at = (thread / 16u + 8u * i) * ROW_PITCH + thread % 16u;
  weights[at] = values.x;
  weights[at + 16u] = values.y;
}
