// Reduces rows of numbers: Σ x, max x (NaN if there is one) or Σ x², times `scale`. The last row may be shorter: `count` elements in all.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: x [count] (read), out (written from `start`, [rows]).

//! include lib/items.wgsl
//! include lib/rows.wgsl

override OPERATION: u32 = 0u; // 0 sum, 1 maximum, 2 sum of squares

struct Params { rows: u32, width: u32, count: u32, start: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = min(row, params.rows) * (params.width / WIDE);
  let end = min(first + params.width / WIDE, params.count / WIDE);
  var total = 0.0;
  if (OPERATION == 1u) {
    // A lane without elements repeats the row's first: the maximum is the same.
    var best = x[min(first, params.count / WIDE - 1u)];
    for (var i = first + at.x; i < end; i += LANES) { best = larger_items(best, x[i]); }
    total = row_max(largest_of(best), at);
  } else {
    var sum = Item();
    for (var i = first + at.x; i < end; i += LANES) {
      if (OPERATION == 2u) { sum += x[i] * x[i]; } else { sum += x[i]; }
    }
    total = row_sum(sum_of(sum), at);
  }
  if (at.x == 0u && row < params.rows) { out[params.start + row] = total * params.scale; }
}
