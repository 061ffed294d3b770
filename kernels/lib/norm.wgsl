// What norm.wgsl and its gradient share: their parameters, the rows and the weight they read, and the mean that they subtract.

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

// μ of the row that begins at `first`: 0 unless CENTERED. Lanes of rows past the end pass `width` 0; they must call it too.
fn row_mean(first: u32, width: u32, at: vec3u) -> f32 {
  if (!CENTERED) { return 0.0; }
  var sum = 0.0;
  for (var c = at.x; c < width; c += LANES) { sum += x[first + c]; }
  return row_sum(sum, at) / f32(params.width);
}
