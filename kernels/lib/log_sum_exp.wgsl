//! include lib/rows.wgsl
// log Σ exp(x) in one reading of the row (Milakov & Gimelshein 2018): a running maximum m and s = Σ exp(x − m), one exponential
// an element. A NaN in the row makes s, and so the result, NaN.

const lse_start = vec2f(-3.0e38, 0.0);

fn lse_step(state: vec2f, x: f32) -> vec2f {
  // By its bits: comparisons and exp may do anything with NaN, arithmetic passes it on.
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u) { return vec2f(state.x, x); }
  let above = x - state.x;
  let e = exp(-abs(above));
  if (above > 0.0) { return vec2f(x, state.y * e + 1.0); }
  return vec2f(state.x, state.y + e);
}

// Over the lanes of a row: (m, s). All lanes of the workgroup must call it.
fn lse_join(state: vec2f, at: vec3u) -> vec2f {
  let m = row_max(state.x, at);
  return vec2f(m, row_sum(state.y * exp(state.x - m), at));
}
