// Adds rows where an index says: out[ids[k]] += values[k], in the order of k and without atomics. The first entry of each index
// follows the chain of its equals (row_links.wgsl) and writes their sum or, with ACCUMULATE, adds it to the row; rows without an entry
// keep what they hold.
// An id outside the rows first_row … first_row + rows − 1, which are those of `out`, is ignored: a large `out` is bound in parts.
// A lane takes items of a row of values (lib/elements.wgsl, lib/items.wgsl).
// Bindings: values [K, width], ids [K], links [K, 2] (read), out [rows, width] (written).

//! include lib/elements.wgsl
//! include lib/items.wgsl

// Adds to what `out` holds.
override ACCUMULATE: bool = false;

struct Params { count: u32, width: u32, entries: u32, first_row: u32, rows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<Item>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> links: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let items = params.width / WIDE;
  let span = span_of(group, groups, params.count);
  for (var i = span.x + lane; i < span.y; i += 64u) {
    let entry = i / items;
    let column = i % items;
    // Below the first row the difference wraps round to a large number.
    let row = ids[entry] - params.first_row;
    if (links[entry].x == 0u || row >= params.rows) { continue; }
    var sum = values[i];
    for (var k = links[entry].y; k < params.entries; k = links[k].y) { sum += values[k * items + column]; }
    let at = row * items + column;
    if (ACCUMULATE) { sum += out[at]; }
    out[at] = sum;
  }
}
