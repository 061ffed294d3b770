// What norm.wgsl and its gradient share: their parameters, the rows and the weight they read, and what a row is normalised by.

//! include lib/packed.wgsl
//! include lib/rows.wgsl

override CENTERED: bool = false;
override WEIGHT_DTYPE: u32 = 3u; // lib/packed.wgsl; 3 is none

struct Params { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<u32>;

fn weight_at(c: u32) -> f32 {
  if (WEIGHT_DTYPE == 3u) { return 1.0; }
  if (WEIGHT_DTYPE == 0u) { return bitcast<f32>(weight[c]); }
  return unpack_half(weight[c / 2u], (c & 1u) == 1u, WEIGHT_DTYPE);
}

// What a row is normalised by: x̂ = (x · scale − base − rest) · inverse, with base + rest the mean of x · scale, or 0 unless CENTERED.
struct Row { scale: f32, base: f32, rest: f32, inverse: f32 }

fn deviation(row: Row, value: f32) -> f32 { return value * row.scale - row.base - row.rest; }

// Of the row that begins at `first`. Lanes of rows past the end pass `width` 0; they must call it too.
fn row_of(first: u32, width: u32, at: vec3u) -> Row {
  let n = f32(params.width);
  var mean = 0.0;
  if (CENTERED) {
    var sum = 0.0;
    for (var c = at.x; c < width; c += LANES) { sum += x[first + c]; }
    mean = row_sum(sum, at) / n;
  }
  var squares = 0.0;
  for (var c = at.x; c < width; c += LANES) {
    let d = x[first + c] - mean;
    squares += d * d;
  }
  let variance = row_sum(squares, at) / n;
  // The mean is rounded, which matters where the deviations from it are small.
  if (is_finite(variance) && variance >= mean * mean / 64.0) { return Row(1.0, mean, 0.0, inverseSqrt(variance + params.eps)); }
  return careful_row(first, is_finite(variance));
}

// A row whose squares do not fit f32, or whose elements are nearly equal. Each lane sums the whole row, so that no barrier is needed.
fn careful_row(first: u32, fits: bool) -> Row {
  let n = f32(params.width);
  let end = first + params.width;
  var row = Row(select(0x1p-100, 1.0, fits), 0.0, 0.0, 0.0);
  if (CENTERED) {
    for (var i = first; i < end; i++) { row.base += x[i] * row.scale / n; }
    // The first element, where it is near the mean: equal elements then have deviations of exactly 0.
    let near = x[first] * row.scale;
    if (abs(near - row.base) < abs(row.base) / 256.0) { row.base = near; }
    var rest = 0.0;
    for (var i = first; i < end; i++) { rest += deviation(row, x[i]); }
    row.rest = rest / n;
  }
  var squares = 0.0;
  for (var i = first; i < end; i++) { squares += deviation(row, x[i]) * deviation(row, x[i]); }
  row.inverse = inverseSqrt(squares / n + select(0x1p-126, params.eps, fits));
  return row;
}
