// What norm.wgsl and its gradient share: their parameters, the rows and the weight they read, and what a row is normalised by.

//! include lib/items.wgsl
//! include lib/packed.wgsl
//! include lib/rows.wgsl

override CENTERED: bool = false;
override WEIGHT_DTYPE: u32 = 3u; // lib/packed.wgsl; 3 is none

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read> weight: array<vec2u>;

// Pairs of words in which four elements of a dtype are, from the first one on.
fn pair_of(c: u32, dtype: u32) -> u32 { return c * WIDE / 4u * select(1u, 2u, dtype == 0u); }

fn weight_at(c: u32) -> Item {
  if (WEIGHT_DTYPE == 3u) { return Item(1.0); }
  let i = pair_of(c, WEIGHT_DTYPE);
  return item_among(unpack_four(weight[i], weight[i + 1u], WEIGHT_DTYPE), c);
}

// What a row is normalised by: x̂ = (x · scale − base − rest) · inverse, with base + rest the mean of x · scale, or 0 unless CENTERED.
struct Row { scale: f32, base: f32, rest: f32, inverse: f32 }

fn deviation(row: Row, value: Item) -> Item { return value * row.scale - row.base - row.rest; }

// Of the row of `items` items that begins at `first`. Lanes of rows past the end pass no items; they must call it too.
fn row_of(first: u32, items: u32, at: vec3u) -> Row {
  let n = f32(params.width);
  var mean = 0.0;
  if (CENTERED) {
    var sum = Item();
    for (var c = at.x; c < items; c += LANES) { sum += x[first + c]; }
    mean = row_sum(sum_of(sum), at) / n;
  }
  var squares = Item();
  for (var c = at.x; c < items; c += LANES) {
    let d = x[first + c] - mean;
    squares += d * d;
  }
  let variance = row_sum(sum_of(squares), at) / n;
  // The mean is rounded, which matters where the deviations from it are small.
  if (is_finite(variance) && variance >= mean * mean / 64.0) { return Row(1.0, mean, 0.0, inverseSqrt(variance + params.eps)); }
  return careful_row(first, is_finite(variance));
}

// A row whose squares do not fit f32, or whose elements are nearly equal. Each lane sums the whole row, so that no barrier is needed.
fn careful_row(first: u32, fits: bool) -> Row {
  let n = f32(params.width);
  let end = first + params.width / WIDE;
  var row = Row(select(0x1p-100, 1.0, fits), 0.0, 0.0, 0.0);
  if (CENTERED) {
    for (var i = first; i < end; i++) { row.base += sum_of(x[i] * row.scale / n); }
    // The first element, where it is near the mean: equal elements then have deviations of exactly 0.
    let near = element_of(x[first], 0u) * row.scale;
    if (abs(near - row.base) < abs(row.base) / 256.0) { row.base = near; }
    var rest = 0.0;
    for (var i = first; i < end; i++) { rest += sum_of(deviation(row, x[i])); }
    row.rest = rest / n;
  }
  var squares = 0.0;
  for (var i = first; i < end; i++) { squares += sum_of(deviation(row, x[i]) * deviation(row, x[i])); }
  row.inverse = inverseSqrt(squares / n + select(0x1p-126, params.eps, fits));
  return row;
}
