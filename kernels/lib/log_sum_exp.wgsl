//! include lib/rows.wgsl
// log Σ exp(x) in one reading of the row (Milakov & Gimelshein 2018): a running maximum m and s = Σ exp(x − m), one exponential
// an element. A NaN in the row makes m and s NaN.

const lse_start = vec2f(-3.0e38, 0.0);

// Looks at the bits, because comparisons, exp and log may do anything with NaN. Sums and products keep NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn lse_step(state: vec2f, x: f32) -> vec2f {
  if (is_nan(x)) { return vec2f(state.x, x); }
  let above = x - state.x;
  let e = exp(-abs(above));
  if (above > 0.0) { return vec2f(x, state.y * e + 1.0); }
  return vec2f(state.x, state.y + e);
}

// Over the lanes of a row: (m, s). All lanes of the workgroup must call it.
fn lse_join(state: vec2f, at: vec3u) -> vec2f {
  let m = row_max(state.x, at);
  let s = row_sum(state.y * exp(state.x - m), at);
  return vec2f(select(m, s, is_nan(s)), s);
}
