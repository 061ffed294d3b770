// Rotary position embedding (Su et al. 2021), half-split layout: with θ the angles of a token's position and (a, b) the first and
// second half of a head, (a, b) ↦ (a cos θ − b sin θ, b cos θ + a sin θ). DIRECTION −1 rotates back, which is also the gradient.
// A lane rotates PAIRS pairs of one head; lanes run along the head, then the heads, then the tokens. The table may be bound in parts
// (lib/rotary_table.wgsl).
// Bindings: x, out [tokens, H, D]; table [part_rows, D], D/2 cosines and then D/2 sines a row; positions [tokens].

//! include lib/rotary_table.wgsl

override HALF: u32 = 8u; // D/2
override PAIRS: u32 = 1u; // divides HALF
override DIRECTION: f32 = 1.0;

struct Params { tokens: u32, heads: u32, first_row: u32, part_rows: u32, rows: u32, nan_bits: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage> x: array<f32>;
@group(0) @binding(2) var<storage> table: array<f32>;
@group(0) @binding(3) var<storage> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64u + lane;
  let head = i / (HALF / PAIRS);
  let token = head / params.heads;
  if (token >= params.tokens) { return; }
  let first = (i % (HALF / PAIRS)) * PAIRS;
  let turn = table_row(positions[token]);
  if (!turn.here) { return; }
  let angle = turn.row * 2u * HALF + first;
  let at = head * 2u * HALF + first;
  for (var n = 0u; n < PAIRS; n++) {
    let cosine = table[angle + n] * turn.factor;
    let sine = table[angle + HALF + n] * DIRECTION * turn.factor;
    let a = x[at + n];
    let b = x[at + HALF + n];
    out[at + n] = a * cosine - b * sine;
    out[at + HALF + n] = b * cosine + a * sine;
  }
}
