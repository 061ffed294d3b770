// Sums of squared differences over rows, times `scale`. The last row may be shorter: `count` elements in all.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: a, b [count] (read), out (written from `start`, [rows]).

//! include lib/items.wgsl
//! include lib/rows.wgsl

struct Params { rows: u32, width: u32, count: u32, start: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Item>;
@group(0) @binding(2) var<storage, read> b: array<Item>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let end = select(0u, min(first + params.width / WIDE, params.count / WIDE), row < params.rows);
  var sum = Item();
  for (var i = first + at.x; i < end; i += LANES) {
    let d = a[i] - b[i];
    sum += d * d;
  }
  let total = row_sum(sum_of(sum), at);
  if (at.x == 0u && row < params.rows) { out[params.start + row] = total * params.scale; }
}
