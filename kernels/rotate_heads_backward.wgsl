// Gradient of rotate_heads.wgsl, without a cache: gradients of queries and keys are rotated back, and joined with those of the values.
// A lane takes two pairs of one head; lanes run along the head, then the heads, then the tokens. The table may be bound in parts, as there.
// Bindings: q [tokens, H, D], k, v [tokens, G, D], gradients; table [part_rows, D], positions [tokens] (read);
// joint [tokens, H + 2 G, D] (written).

//! include lib/rotary_table.wgsl

override QUARTER: u32 = 4u; // D/4

struct Params { tokens: u32, heads: u32, groups: u32, first_row: u32, part_rows: u32, rows: u32, nan_bits: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> q: array<vec2f>;
@group(0) @binding(2) var<storage> k: array<vec2f>;
@group(0) @binding(3) var<storage> v: array<vec2f>;
@group(0) @binding(4) var<storage> table: array<vec2f>;
@group(0) @binding(5) var<storage> positions: array<u32>;
@group(0) @binding(6) var<storage, read_write> joint: array<vec2f>;

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

  let to = i / QUARTER * 2u * QUARTER + pair;
  if (head >= params.heads + params.groups) {
    let source = (token * params.groups + head - params.heads - params.groups) * 2u * QUARTER + pair;
    joint[to] = v[source];
    joint[to + QUARTER] = v[source + QUARTER];
    return;
  }
  let angle = turn.row * 2u * QUARTER + pair;
  let cosine = table[angle] * turn.factor;
  let sine = table[angle + QUARTER] * turn.factor;
  var a: vec2f;
  var b: vec2f;
  if (head < params.heads) {
    let source = (token * params.heads + head) * 2u * QUARTER + pair;
    a = q[source];
    b = q[source + QUARTER];
  } else {
    let source = (token * params.groups + head - params.heads) * 2u * QUARTER + pair;
    a = k[source];
    b = k[source + QUARTER];
  }
  joint[to] = a * cosine + b * sine;
  joint[to + QUARTER] = b * cosine - a * sine;
}
