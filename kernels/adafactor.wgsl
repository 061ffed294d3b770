// The step of Adafactor on a matrix (Shazeer & Stern 2018), in place: p ← p · decay − rate · u / max(1, RMS(u)), with decay = 1 − η λ,
// rate = η, u of lib/adafactor.wgsl and RMS(u) = √(squares / elements).
// LANES lanes a row.
// Bindings: those of lib/adafactor.wgsl, squares [1], Σ u² over the matrix (read), parameter [rows, width] (read and written).

//! include lib/adafactor.wgsl
//! include lib/nan.wgsl

override LANES: u32 = 64u;
override ROWS: u32 = 1u;

struct Params { rows: u32, width: u32, elements: f32, decay: f32, rate: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> squares: array<f32>;
@group(0) @binding(7) var<storage, read_write> parameter: array<Item>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  if (row >= params.rows) { return; }
  let items = params.width / WIDE;
  let factor = row_factor(row);
  let rate = params.rate / larger(1.0, sqrt(squares[0] / params.elements));
  for (var c = at.x; c < items; c += LANES) {
    let i = row * items + c;
    parameter[i] = parameter[i] * params.decay - rate * update_of(row * items, c, factor);
  }
}
