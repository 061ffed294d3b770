// Reduces the middle axis of x [outer, n, inner] in blocks: out[o, b, i] = Σ or max (NaN if there is one) over the elements j of block b of x[o, j, i],
// times `scale`. Run a second time over its own output when there is more than one block.
// One lane an element of out; neighbouring lanes read neighbouring elements.
// Bindings: x [outer, n, inner] (read), out (written from `start`, [outer, blocks, inner]).

//! include lib/nan.wgsl

override OPERATION: u32 = 0u; // 0 sum, 1 maximum

struct Params { count: u32, n: u32, inner: u32, blocks: u32, block: u32, start: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) { return; }
  let column = i % params.inner;
  let block = i / params.inner % params.blocks;
  let outer = i / params.inner / params.blocks;
  let first = outer * params.n * params.inner + column;
  let start = block * params.block;
  let end = min(start + params.block, params.n);
  var total = x[first + start * params.inner];
  for (var j = start + 1u; j < end; j++) {
    let value = x[first + j * params.inner];
    if (OPERATION == 1u) { total = larger(total, value); } else { total += value; }
  }
  out[params.start + i] = total * params.scale;
}
