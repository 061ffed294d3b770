// Rows of a table by index: out[k] = table[ids[k]]. The table may be bound in parts: rows first_row … first_row + part_rows − 1.
// The run on the last part writes a row of NaN for an id past the whole table.
// A lane takes items of out (lib/elements.wgsl, lib/items.wgsl).
// Bindings: table [part_rows, width] of some floating dtype, ids [K] (read), out [K, width] (written).

//! include lib/elements.wgsl
//! include lib/items.wgsl
//! include lib/packed.wgsl

override TABLE_DTYPE: u32 = 0u; // lib/packed.wgsl
const WORDS = 4u; //! define: that are read for an item: 4 of f32, 2 of a packed dtype, or 1 where an item is an element
alias Words = vec4u; //! if WORDS 4
alias Words = vec2u; //! if WORDS 2
alias Words = u32; //! if WORDS 1

struct Params { count: u32, width: u32, first_row: u32, part_rows: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<Words>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<Item>;

fn item_at(i: u32) -> Item { return bitcast<vec4f>(table[i]); } //! if WORDS 4
fn item_at(i: u32) -> Item { return unpack_two(table[i], TABLE_DTYPE); } //! if WORDS 2
fn item_at(i: u32) -> Item { if (TABLE_DTYPE == 0u) { return bitcast<f32>(table[i]); } return half_at(i); } //! if WORDS 1
fn half_at(i: u32) -> f32 { return unpack_half(table[i / 2u], (i & 1u) == 1u, TABLE_DTYPE); } //! if WORDS 1

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let items = params.width / WIDE;
  let span = span_of(group, groups, params.count);
  let last_part = params.first_row + params.part_rows == params.rows;
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let id = ids[i / items];
    let row = id - params.first_row;
    if (id < params.rows && row < params.part_rows) { out[i] = item_at(row * items + i % items); }
    else if (id >= params.rows && last_part) { out[i] = Item(nan()); }
  }
}
