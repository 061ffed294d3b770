//! include lib/items.wgsl
//! include lib/log_sum_exp.wgsl
//! include lib/rows.wgsl
// lib/log_sum_exp.wgsl over the items of a row: a state of each place in an item, joined at the end.

struct ItemsLse { top: Item, sum: Item }

fn lse_items() -> ItemsLse { return ItemsLse(Item(-0x1.fffffep127), Item()); }

fn lse_add(state: ItemsLse, x: Item) -> ItemsLse {
  let above = x - state.top;
  let e = exp(-abs(above));
  let rises = above > Item();
  let sum = select(state.sum + e, state.sum * e + 1.0, rises);
  let spoilt = ((bitcast<Bits>(x) & Bits(0x7fffffffu)) > Bits(0x7f800000u)) | (bitcast<Bits>(x) == Bits(0x7f800000u));
  return ItemsLse(select(state.top, x, rises), select(sum, Item(nan()), spoilt));
}

// (m, s) over the places of the items and the lanes of a row; s is 0 where nothing is above −∞. All lanes of the workgroup must call it.
fn lse_total(state: ItemsLse, at: vec3u) -> vec2f {
  var top = element_of(state.top, 0u);
  for (var n = 1u; n < WIDE; n++) { top = max(top, element_of(state.top, n)); }
  let sum = sum_of(state.sum * exp(state.top - top));
  let m = row_max(top, at);
  return vec2f(m, row_sum(sum * exp(top - m), at));
}

// The same, both NaN where s is, and where the row has nothing above −∞.
fn lse_join(state: ItemsLse, at: vec3u) -> vec2f {
  let total = lse_total(state, at);
  let sound = select(total.y, nan(), total.y == 0.0);
  return vec2f(keep_nan(total.x, sound), sound);
}
