// Gradient of norm.wgsl for its weight: out[c] = Σ over rows of gradient · (x − μ) r.
// A workgroup has COLUMNS items of columns (lib/items.wgsl), and SHARES lanes each, which take blocks of rows in turn. The blocks' sums are
// added in their order, also where a run has only a part of the blocks and adds to what the runs before it gave.
// Bindings: x, gradient [rows, width], statistics [rows, 4], a `Row` of lib/norm_row.wgsl each (read), out [width] (written).

//! include lib/items.wgsl

override COLUMNS: u32 = 8u;
override SHARES: u32 = 8u;
override LANES: u32 = COLUMNS * SHARES;

struct Params { rows: u32, width: u32, blocks: u32, block_rows: u32, accumulate: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read> gradient: array<Item>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

var<workgroup> sums: array<Item, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let items = params.width / WIDE;
  let column = (group.x + group.y * groups.x) * COLUMNS + lane % COLUMNS;
  let inside = column < items;
  var total = Item();
  if (inside && params.accumulate == 1u) { total = out[column]; }
  for (var first = 0u; first < params.blocks; first += SHARES) {
    let begin = (first + lane / COLUMNS) * params.block_rows;
    let end = select(0u, min(begin + params.block_rows, params.rows), inside);
    var sum = Item();
    for (var row = begin; row < end; row++) {
      let at = row * items + column;
      let own = statistics[row];
      sum += gradient[at] * (x[at] * own.x - own.y - own.z) * own.w;
    }
    sums[lane] = sum;
    workgroupBarrier();
    if (lane < COLUMNS) {
      for (var share = 0u; share < min(SHARES, params.blocks - first); share++) { total += sums[lane + share * COLUMNS]; }
    }
    workgroupBarrier();
  }
  if (inside && lane < COLUMNS) { out[column] = total; }
}
