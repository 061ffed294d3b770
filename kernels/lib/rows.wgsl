// What the row kernels share: LANES lanes (a power of two) work on one row, and a workgroup of (LANES, ROWS) lanes on ROWS rows.
// Partial values are joined in a fixed order. With one lane a row there is no barrier: barriers are slow on software adapters.

//! include lib/nan.wgsl

override LANES: u32 = 64u;
override ROWS: u32 = 1u;

const fan = 16u;

var<workgroup> row_partials: array<f32, LANES * ROWS>;

// Sum over the lanes of a row, and the largest value over them, NaN if there is one. Every lane gets it. All lanes of the workgroup must call it.
fn row_sum(value: f32, at: vec3u) -> f32 { return row_join(value, at, false); }
fn row_max(value: f32, at: vec3u) -> f32 { return row_join(value, at, true); }

fn join(a: f32, b: f32, largest: bool) -> f32 {
  if (largest) { return larger(a, b); }
  return a + b;
}

fn row_join(value: f32, at: vec3u, largest: bool) -> f32 {
  if (LANES == 1u) { return value; }
  let first = at.y * LANES;
  row_partials[first + at.x] = value;
  workgroupBarrier();
  if (LANES > fan) {
    if (at.x < fan) {
      var part = value;
      for (var i = at.x + fan; i < LANES; i += fan) { part = join(part, row_partials[first + i], largest); }
      row_partials[first + at.x] = part;
    }
    workgroupBarrier();
  }
  var total = select(0.0, row_partials[first], largest);
  for (var i = 0u; i < min(LANES, fan); i++) { total = join(total, row_partials[first + i], largest); }
  workgroupBarrier();
  return total;
}
