// Rows of a table by index: out[k] = table[ids[k]]. The table may be bound in parts: rows first_row … first_row + part_rows − 1.
// The run on the last part writes a row of NaN for an id past the whole table.
// One lane an element of out.
// Bindings: table [part_rows, width] of some floating dtype, ids [K] (read), out [K, width] (written).

//! include lib/nan.wgsl
//! include lib/packed.wgsl

override TABLE_DTYPE: u32 = 0u; // lib/packed.wgsl

struct Params { count: u32, width: u32, first_row: u32, part_rows: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  if (i >= params.count) { return; }
  let id = ids[i / params.width];
  let last_part = params.first_row + params.part_rows == params.rows;
  if (id >= params.rows && last_part) { out[i] = nan(); }
  let row = id - params.first_row;
  if (id >= params.rows || row >= params.part_rows) { return; }
  let at = row * params.width + i % params.width;
  if (TABLE_DTYPE == 0u) { out[i] = bitcast<f32>(table[at]); }
  else { out[i] = unpack_half(table[at / 2u], (at & 1u) == 1u, TABLE_DTYPE); }
}
