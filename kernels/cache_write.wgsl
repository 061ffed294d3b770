// Copies new key or value rows into a cache: cache[b, at + t] = x[b, t].
// A lane copies one number; lanes run along the rows of x.
// Bindings: x [B, T·width]; cache [B, C·width], written in place at rows at … at + T − 1.

struct Params { total: u32, new_row: u32, cache_row: u32, offset: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> cache: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.total) { return; }
  let b = i / params.new_row;
  cache[b * params.cache_row + params.offset + i % params.new_row] = x[i];
}
