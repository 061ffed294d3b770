// Gradient of cross_entropy.wgsl or, with REFERENCE, of kl_divergence.wgsl for their logits: (softmax(logits) − p) · weight, with
// p = onehot(label) or softmax(reference). The weight of a token carries the gradient of its loss (token_weights.wgsl). A token of
// weight 0 gives zeros, whatever its logits; a label outside the row gives NaN.
// softmax(logits)[label] − 1 is minus the share of all others, and is computed so: where the label has nearly everything, the others are lost
// in a sum that begins with it.
// LANES lanes a row (lib/rows.wgsl).
// Bindings: logits [rows, width], wanted (labels [rows], i32, or reference [rows, width], f32), weights [rows] (read),
// out [rows, width] (written).

//! include lib/log_sum_exp_rows.wgsl

const REFERENCE = 0u; //! define
alias Wanted = u32; //! if REFERENCE 0
alias Wanted = Item; //! if REFERENCE 1

fn label_of(row: u32) -> u32 { return wanted[row]; } //! if REFERENCE 0
fn label_of(row: u32) -> u32 { return params.width; } //! if REFERENCE 1
fn reference_at(i: u32) -> Item { return Item(); } //! if REFERENCE 0
fn reference_at(i: u32) -> Item { return wanted[i]; } //! if REFERENCE 1

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Item>;
@group(0) @binding(2) var<storage, read> wanted: array<Wanted>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<Item>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) at: vec3u) {
  let row = (group.x + group.y * groups.x) * ROWS + at.y;
  let first = row * (params.width / WIDE);
  let inside = row < params.rows;
  let items = params.width / WIDE;
  let weight = weights[min(row, params.rows - 1u)];
  let counts = inside && (weight != 0.0 || is_nan(weight));
  // The label's column stands apart; with a reference, none does.
  let apart = label_of(min(row, params.rows - 1u));
  var lowest = 0xff800000u; // −∞; a variable, because WGSL refuses the constant
  let nothing = Item(bitcast<f32>(lowest));
  var states_p = lse_items();
  var states_q = lse_items();
  for (var c = at.x; c < select(0u, items, counts); c += LANES) {
    if (REFERENCE == 1u) { states_p = lse_add(states_p, reference_at(first + c)); }
    states_q = lse_add(states_q, select(logits[first + c], nothing, columns_of(c) == Bits(apart)));
  }
  var p = vec2f();
  if (REFERENCE == 1u) { p = lse_join(states_p, at); }
  let others = lse_total(states_q, at);
  var q = others;
  if (counts && apart < params.width) { q = lse_step(others, element_of(logits[first + apart / WIDE], apart % WIDE)); }
  q.y = select(q.y, nan(), q.y == 0.0);
  let own = -exp(others.x - q.x) * others.y / q.y * weight;
  let outside = REFERENCE == 0u && apart >= params.width;
  for (var c = at.x; c < select(0u, items, inside); c += LANES) {
    var slope = Item();
    if (counts) {
      var expected = Item();
      if (REFERENCE == 1u) { expected = exp(reference_at(first + c) - p.x) * (1.0 / p.y); }
      slope = (exp(logits[first + c] - q.x) * (1.0 / q.y) - expected) * weight;
      slope = select(slope, Item(own), columns_of(c) == Bits(apart));
      if (outside) { slope = Item(nan()); }
    }
    out[first + c] = slope;
  }
}
