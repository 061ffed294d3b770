// Cuts the joint projection of queries, keys and values, rotates queries and keys as rope.wgsl does, and puts each where attention reads it:
// of a row [H + 2 G, D] the first H heads to q, the next G to k, the last G to v. Keys and values may be rows of a cache: those of token t
// of sequence b go to row b · capacity + at + t.
// A lane takes two pairs of one head; lanes run along the head, then the heads, then the tokens. The table may be bound in parts
// (lib/rotary_table.wgsl).
// Bindings: joint [tokens, H + 2 G, D], table [part_rows, D], positions [tokens] (read); q [tokens, H, D], k, v [rows, G, D] (written).

//! include lib/rotary_table.wgsl

override QUARTER: u32 = 4u; // D/4

struct Params {
  tokens: u32, heads: u32, groups: u32, length: u32, capacity: u32, at: u32,
  first_row: u32, part_rows: u32, rows: u32, nan_bits: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> joint: array<vec2f>;
@group(0) @binding(2) var<storage> table: array<vec2f>;
@group(0) @binding(3) var<storage> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> q: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> k: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> v: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let heads = params.heads + 2u * params.groups;
  let token = i / QUARTER / heads;
  if (token >= params.tokens) { return; }
  let head = i / QUARTER % heads;
  let pair = i % QUARTER;

  let turn = table_row(positions[token]);
  if (!turn.here) { return; }

  let source = i / QUARTER * 2u * QUARTER + pair;
  let a = joint[source];
  let b = joint[source + QUARTER];
  let key_row = token / params.length * params.capacity + params.at + token % params.length;
  if (head >= params.heads + params.groups) {
    let to = (key_row * params.groups + head - params.heads - params.groups) * 2u * QUARTER + pair;
    v[to] = a;
    v[to + QUARTER] = b;
    return;
  }
  let angle = turn.row * 2u * QUARTER + pair;
  let cosine = table[angle] * turn.factor;
  let sine = table[angle + QUARTER] * turn.factor;
  let first = a * cosine - b * sine;
  let second = b * cosine + a * sine;
  if (head < params.heads) {
    let to = (token * params.heads + head) * 2u * QUARTER + pair;
    q[to] = first;
    q[to + QUARTER] = second;
  } else {
    let to = (key_row * params.groups + head - params.heads) * 2u * QUARTER + pair;
    k[to] = first;
    k[to + QUARTER] = second;
  }
}
