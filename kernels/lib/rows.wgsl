// What row kernels share: LANES lanes (a power of two) work on one row, ROWS rows on one workgroup of (LANES, ROWS) lanes.
// Partial values are combined in a fixed order. With one lane a row there is no barrier, which software adapters like.

override LANES: u32 = 64u;
override ROWS: u32 = 1u;

const fan = 16u;

var<workgroup> row_partials: array<f32, LANES * ROWS>;

// Sum over the lanes of a row; every lane gets it. All lanes of the workgroup must call it.
fn row_sum(value: f32, at: vec3u) -> f32 {
  if (LANES == 1u) { return value; }
  let first = at.y * LANES;
  row_partials[first + at.x] = value;
  workgroupBarrier();
  if (LANES > fan) {
    if (at.x < fan) {
      var part = value;
      for (var i = at.x + fan; i < LANES; i += fan) { part += row_partials[first + i]; }
      row_partials[first + at.x] = part;
    }
    workgroupBarrier();
  }
  var total = 0.0;
  for (var i = 0u; i < min(LANES, fan); i++) { total += row_partials[first + i]; }
  workgroupBarrier();
  return total;
}

// Maximum over the lanes of a row; every lane gets it. All lanes of the workgroup must call it.
fn row_max(value: f32, at: vec3u) -> f32 {
  if (LANES == 1u) { return value; }
  let first = at.y * LANES;
  row_partials[first + at.x] = value;
  workgroupBarrier();
  if (LANES > fan) {
    if (at.x < fan) {
      var part = value;
      for (var i = at.x + fan; i < LANES; i += fan) { part = max(part, row_partials[first + i]); }
      row_partials[first + at.x] = part;
    }
    workgroupBarrier();
  }
  var total = row_partials[first];
  for (var i = 1u; i < min(LANES, fan); i++) { total = max(total, row_partials[first + i]); }
  workgroupBarrier();
  return total;
}
