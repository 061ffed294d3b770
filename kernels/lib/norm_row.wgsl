// What a row is normalised by, for kernels that have `x_at(i)`, an element of x, and `params.eps`.

//! include lib/nan.wgsl

override CENTERED: bool = false;

// x̂ = (x · scale − base − rest) · inverse, with base + rest the mean of x · scale, or 0 unless CENTERED.
struct Row { scale: f32, base: f32, rest: f32, inverse: f32 }

fn deviation(row: Row, value: f32) -> f32 { return value * row.scale - row.base - row.rest; }

// Whether a row needs no care: its squares fit f32, and its elements are not nearly equal. The mean is rounded, which matters where the
// deviations from it are small.
fn is_plain(mean: f32, variance: f32) -> bool { return is_finite(variance) && variance >= mean * mean / 64.0; }

// A row that needs care. Each lane sums the whole row, so that no barrier is needed.
fn careful_row(first: u32, width: u32, fits: bool) -> Row {
  let n = f32(width);
  let end = first + width;
  var row = Row(select(0x1p-100, 1.0, fits), 0.0, 0.0, 0.0);
  if (CENTERED) {
    for (var i = first; i < end; i++) { row.base += x_at(i) * row.scale / n; }
    // The first element, where it is near the mean: equal elements then have deviations of exactly 0.
    let near = x_at(first) * row.scale;
    if (abs(near - row.base) < abs(row.base) / 256.0) { row.base = near; }
    var rest = 0.0;
    for (var i = first; i < end; i++) { rest += deviation(row, x_at(i)); }
    row.rest = rest / n;
  }
  var squares = 0.0;
  for (var i = first; i < end; i++) { squares += deviation(row, x_at(i)) * deviation(row, x_at(i)); }
  row.inverse = inverseSqrt(squares / n + select(0x1p-126, params.eps, fits));
  return row;
}
