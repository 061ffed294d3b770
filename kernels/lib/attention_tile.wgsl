// What the tile kernels of attention share. A workgroup of 128 threads has 32 rows of its own (queries, or keys) and meets 32
// other rows (keys, or queries) at a time. Thread (x, y) of 16 × 8 has own rows y, y + 8, y + 16 and y + 24, which are the four
// components of its vectors. Of their products it has those with other rows x and x + 16, and of their sums every 16th
// vector from x on.
// The kernel says what the rows are: own_vector(pair, at) and other_vector(pair, at), the two of a pair multiplied with each other.

const ROWS = 32u;
const THREADS = 128u;
const CHUNK = 8u; // vectors of a row in shared memory at a time
const PITCH = 9u; // one vector more than CHUNK, so that neighbouring threads use different banks
const WEIGHT_PITCH = 33u;

override COLUMNS: u32 = 1u; // of a thread: a sixteenth of the vectors of a row, rounded up; at most 4

var<workgroup> own_chunk: array<vec4f, ROWS * PITCH>;
var<workgroup> other_chunk: array<vec4f, ROWS * PITCH>;
var<workgroup> weights: array<vec4f, 8u * WEIGHT_PITCH>; // of own rows y, y + 8, y + 16, y + 24 with other row c, at y · pitch + c

// Rows of a tensor: where row 0 begins and how far apart they are, in vectors; rows past the last repeat it.
struct Rows { at: u32, stride: u32, first: u32, last: u32 }

fn row_at(rows: Rows, row: u32) -> u32 { return rows.at + min(rows.first + row, rows.last) * rows.stride; }

// The four own rows of the threads (·, y), by their number in the tensor.
fn own_rows(first: u32, y: u32) -> vec4u { return vec4u(first + y) + vec4u(0u, 8u, 16u, 24u); }

// Products of a thread's own rows with its two other rows.
struct Products { a: vec4f, b: vec4f }

// Begins with a barrier.
fn products(pair: u32, own: Rows, other: Rows, thread: u32) -> Products {
  let x = thread % 16u;
  let y = thread / 16u;
  var sums = Products();

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
      let m0 = own_chunk[y * PITCH + d];
      let m1 = own_chunk[(y + 8u) * PITCH + d];
      let m2 = own_chunk[(y + 16u) * PITCH + d];
      let m3 = own_chunk[(y + 24u) * PITCH + d];
      sums.a += vec4f(dot(m0, a), dot(m1, a), dot(m2, a), dot(m3, a));
      sums.b += vec4f(dot(m0, b), dot(m1, b), dot(m2, b), dot(m3, b));
    }
  }
  return sums;
}

fn set_weights(thread: u32, values: Products) {
  let at = thread / 16u * WEIGHT_PITCH + thread % 16u;
  weights[at] = values.a;
  weights[at + 16u] = values.b;
}

// A thread's sums: vector x + 16 n of its own row i at 4 n + i.
alias Sums = array<vec4f, 16>;

// Adds the other rows, each times its weight. A barrier must lie between set_weights and this.
fn mix(sums: ptr<function, Sums>, pair: u32, other: Rows, thread: u32) {
  let count = min(ROWS, other.last + 1u - other.first);
  for (var n = 0u; n < COLUMNS; n++) {
    let column = thread % 16u + 16u * n;
    if (column < params.vectors) {
      for (var c = 0u; c < count; c++) {
        let vector = other_vector(pair, other.at + (other.first + c) * other.stride + column);
        let weight = weights[thread / 16u * WEIGHT_PITCH + c];
        for (var i = 0u; i < 4u; i++) { (*sums)[4u * n + i] += weight[i] * vector; }
      }
    }
  }
}

// Sums of the 16 threads that have the same own rows. Begins with a barrier.
fn row_total(part: vec4f, thread: u32) -> vec4f {
  let at = thread / 16u * WEIGHT_PITCH;
  workgroupBarrier();
  weights[at + thread % 16u] = part;
  workgroupBarrier();
  var total = vec4f();
  for (var c = 0u; c < 16u; c++) { total += weights[at + c]; }
  return total;
}
