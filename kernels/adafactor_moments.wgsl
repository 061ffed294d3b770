// The factored second moment of Adafactor from sums over parts of rows and columns (adafactor_squares.wgsl), in place:
//   R ← β R + row_gain Σ row_sums,  C ← β C + column_gain Σ column_sums
// with row_gain = (1 − β) / width and column_gain = (1 − β) / rows, so that both are means.
// One lane a row or a column.
// Bindings: row_sums [rows, slabs], column_sums [bands, width] (read), row_moments [rows], column_moments [width] (read and written).

struct Params { rows: u32, width: u32, slabs: u32, bands: u32, beta: f32, row_gain: f32, column_gain: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_sums: array<f32>;
@group(0) @binding(2) var<storage, read> column_sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> column_moments: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.rows + params.width) { return; }
  var sum = 0.0;
  if (i < params.rows) {
    for (var s = 0u; s < params.slabs; s++) { sum += row_sums[i * params.slabs + s]; }
    row_moments[i] = params.beta * row_moments[i] + params.row_gain * sum;
  } else {
    let c = i - params.rows;
    for (var b = 0u; b < params.bands; b++) { sum += column_sums[b * params.width + c]; }
    column_moments[c] = params.beta * column_moments[c] + params.column_gain * sum;
  }
}
