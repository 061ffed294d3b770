// What norm.wgsl and its gradient share: their parameters, the rows and the weight they read, and what a row is normalised by.

//! include lib/items.wgsl
//! include lib/packed.wgsl
//! include lib/rows.wgsl
//! include lib/norm_row.wgsl

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
  if (WEIGHT_DTYPE == 0u) { return item_among(bitcast<vec4f>(vec4u(weight[i], weight[i + 1u])), c); }
  return item_among(unpack_two(weight[i], WEIGHT_DTYPE), c);
}

fn x_at(i: u32) -> f32 { return element_of(x[i / WIDE], i % WIDE); }

fn deviations(row: Row, values: Item) -> Item { return values * row.scale - row.base - row.rest; }

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
  if (is_plain(mean, variance)) { return Row(1.0, mean, 0.0, inverseSqrt(variance + params.eps)); }
  return careful_row(first * WIDE, params.width, is_finite(variance));
}
