//! include lib/items.wgsl
//! include lib/log_sum_exp.wgsl
//! include lib/rows.wgsl
// log Σ exp(x) over the items of a row in one reading: a state for each place in an item, as in lib/log_sum_exp.wgsl. NaN is
// looked for in the bits, and +∞ in the maximum, once at the end.

struct ItemsLse { top: Item, sum: Item, worst: Bits }

fn lse_items() -> ItemsLse { return ItemsLse(Item(-0x1.fffffep127), Item(), Bits()); }

fn magnitude_of(x: Item) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

fn lse_add(state: ItemsLse, x: Item) -> ItemsLse {
  let above = x - state.top;
  let e = exp(-abs(above));
  let rises = above > Item();
  let sum = select(state.sum + e, state.sum * e + 1.0, rises);
  return ItemsLse(select(state.top, x, rises), sum, max(state.worst, magnitude_of(x)));
}

// Four items share the exponential by which a new maximum shrinks the sum: a quarter faster, where no other state is kept.
fn lse_add_four(state: ItemsLse, a: Item, b: Item, c: Item, d: Item) -> ItemsLse {
  let top = max(max(max(a, b), max(c, d)), state.top);
  let sum = (exp(a - top) + exp(b - top)) + (exp(c - top) + exp(d - top));
  let worst = max(max(magnitude_of(a), magnitude_of(b)), max(magnitude_of(c), magnitude_of(d)));
  return ItemsLse(top, state.sum * exp(state.top - top) + sum, max(state.worst, worst));
}

// Of a row's items, those that its lanes take four at a time.
fn whole_fours(items: u32) -> u32 { return items / (4u * LANES) * (4u * LANES); }

// (m, s) over the places of the items and the lanes of a row; s is 0 where nothing is above −∞. All lanes of the workgroup must call it.
fn lse_total(state: ItemsLse, at: vec3u) -> vec2f {
  var top = element_of(state.top, 0u);
  for (var n = 1u; n < WIDE; n++) { top = max(top, element_of(state.top, n)); }
  let spoilt = (state.worst > Bits(0x7f800000u)) | (bitcast<Bits>(state.top) == Bits(0x7f800000u));
  let sum = sum_of(select(state.sum * exp(state.top - top), Item(nan()), spoilt));
  let m = row_max(top, at);
  return vec2f(m, row_sum(sum * exp(top - m), at));
}

// The same, both NaN where s is, and where the row has nothing above −∞.
fn lse_join(state: ItemsLse, at: vec3u) -> vec2f {
  let total = lse_total(state, at);
  let sound = select(total.y, nan(), total.y == 0.0);
  return vec2f(keep_nan(total.x, sound), sound);
}
