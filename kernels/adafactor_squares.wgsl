// Sums of g² + ε over rows and over columns of a gradient [rows, width], read once: row_sums[r, s] over the columns of slab s, and
// column_sums[b, c] over the rows of band b. ε is 10⁻³⁰; g is the gradient times gradient_scale, which is on the device.
// A workgroup of 64 lanes takes a slab of 64 items (lib/items.wgsl) of a band of `band` rows. A lane sums its columns in registers; the sums
// of 32 rows at a time are joined through shared memory, whose rows are one longer than the lanes, so that lanes read different banks.
// Bindings: gradient, gradient_scale [1] (read), row_sums, column_sums (written from band `start` on).

//! include lib/items.wgsl

override SCALED: bool = false;

struct Params { rows: u32, width: u32, band: u32, slabs: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<Item>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> row_sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> column_sums: array<Item>;

const together = 32u;

var<workgroup> sums: array<f32, 2080>; // 32 rows of 65

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = group.x + group.y * groups.x;
  let slab = id % params.slabs;
  let band = id / params.slabs;
  let items = params.width / WIDE;
  let c = slab * 64u + lane;
  let end = min((band + 1u) * params.band, params.rows);
  var column = Item();
  for (var top = band * params.band; top < end; top += together) {
    for (var r = 0u; r < together; r++) {
      var square = Item();
      if (top + r < end && c < items) {
        var g = gradient[(top + r) * items + c];
        if (SCALED) { g *= gradient_scale[0]; }
        square = g * g + 1e-30;
      }
      column += square;
      sums[r * 65u + lane] = sum_of(square);
    }
    workgroupBarrier();
    if (lane < together && top + lane < end) {
      var total = 0.0;
      for (var i = 0u; i < 64u; i++) { total += sums[lane * 65u + i]; }
      row_sums[(params.start * params.band + top + lane) * params.slabs + slab] = total;
    }
    workgroupBarrier();
  }
  if (c < items && band * params.band < params.rows) { column_sums[(params.start + band) * items + c] = column; }
}
