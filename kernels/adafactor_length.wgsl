// Σ u² of each row of Adafactor's update before clipping (lib/adafactor.wgsl).
// LANES lanes a row (lib/rows.wgsl).
// Bindings: those of lib/adafactor.wgsl, squares [rows] (written).

//! include lib/adafactor.wgsl
//! include lib/rows.wgsl

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let items = select(0u, params.width / WIDE, row < params.rows);
  let factor = row_factor(min(row, params.rows - 1u));
  var sum = Item();
  for (var c = at.x; c < items; c += LANES) {
    let u = update_of(row * items, c, factor);
    sum += u * u;
  }
  let total = row_sum(sum_of(sum), at);
  if (at.x == 0u && row < params.rows) { squares[row] = total; }
}
