//! include lib/nan.wgsl
// log Σ exp(x) in one reading (Milakov & Gimelshein 2018): a running maximum m and s = Σ exp(x − m), one exponential an element. As in
// PyTorch, a NaN or +∞ makes s NaN, and with it the softmax of every element: exp(∞ − ∞) is NaN.

const lse_start = vec2f(-0x1.fffffep127, 0.0);

fn lse_step(state: vec2f, x: f32) -> vec2f {
  if (is_nan(x) || bitcast<u32>(x) == 0x7f800000u) { return vec2f(state.x, nan()); }
  let above = x - state.x;
  let e = exp(-abs(above));
  if (above > 0.0) { return vec2f(x, state.y * e + 1.0); }
  return vec2f(state.x, state.y + e);
}
