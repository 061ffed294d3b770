// Reduces the middle axis of x [outer, n, inner] in blocks: out[o, b, i] = Σ or max (NaN if there is one) over the elements j of block b of x[o, j, i],
// times `scale`. Run a second time over its own output when there is more than one block.
// One lane an item of out (lib/items.wgsl, along the last axis); neighbouring lanes read neighbouring items.
// Bindings: x [outer, n, inner] (read), out (written from `start`, [outer, blocks, inner]).

//! include lib/items.wgsl
//! include lib/nan.wgsl

override OPERATION: u32 = 0u; // 0 sum, 1 maximum

struct Params { count: u32, n: u32, inner: u32, blocks: u32, block: u32, start: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Item>;
@group(0) @binding(2) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let inner = params.inner / WIDE;
  if (i >= params.count / WIDE) { return; }
  let column = i % inner;
  let block = i / inner % params.blocks;
  let outer = i / inner / params.blocks;
  let first = outer * params.n * inner + column;
  let start = block * params.block;
  let end = min(start + params.block, params.n);
  var total = x[first + start * inner];
  for (var j = start + 1u; j < end; j++) {
    let value = x[first + j * inner];
    if (OPERATION == 1u) { total = larger_items(total, value); } else { total += value; }
  }
  out[params.start / WIDE + i] = total * params.scale;
}
