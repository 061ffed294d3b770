// Gradient of norm.wgsl for its weight, as sums over blocks of rows: out[b, c] = Σ over rows of block b of gradient · (x − μ) r.
// One lane an item of columns (lib/items.wgsl) of a block; reduce_columns.wgsl adds the blocks up, so the order is fixed.
// Bindings: x, gradient [rows, width], statistics [rows, 4], a `Row` of lib/norm_row.wgsl each (read), out
// (written from `start`, [blocks, width]).

//! include lib/items.wgsl

struct Params { rows: u32, width: u32, blocks: u32, block_rows: u32, start: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read> gradient: array<Item>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let items = params.width / WIDE;
  if (i >= params.blocks * items) { return; }
  let block = i / items;
  let end = min((block + 1u) * params.block_rows, params.rows);
  var sum = Item();
  for (var row = block * params.block_rows; row < end; row++) {
    let at = row * items + i % items;
    let own = statistics[row];
    sum += gradient[at] * (x[at] * own.x - own.y - own.z) * own.w;
  }
  out[params.start / WIDE + i] = sum;
}
