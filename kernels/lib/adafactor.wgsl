// The update of Adafactor before clipping, u = g / √(R Cᵀ / mean R), and what it is computed from. A kernel that includes this has the
// parameter `width`.
// Bindings: gradient [rows, width], gradient_scale [1], row_moments [rows], column_moments [width], mean [1], of the rows' moments (read).

//! include lib/items.wgsl

override SCALED: bool = false;

@group(0) @binding(1) var<storage, read> gradient: array<Item>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read> row_moments: array<f32>;
@group(0) @binding(4) var<storage, read> column_moments: array<Item>;
@group(0) @binding(5) var<storage, read> mean: array<f32>;

// What the gradient of a row is multiplied by. The roots are taken one by one, because quotients and products of moments may leave f32.
fn row_factor(row: u32) -> f32 { return inverseSqrt(row_moments[row]) * sqrt(mean[0]); }

// Item c of the row whose items begin at `first`. A gradient of 0 meets the row's factor first: with the column's, too, it may be infinite.
fn update_of(first: u32, c: u32, factor: f32) -> Item {
  var g = gradient[first + c];
  if (SCALED) { g *= gradient_scale[0]; }
  return (g * factor) * inverseSqrt(column_moments[c]);
}
