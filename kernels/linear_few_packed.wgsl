// As linear_few.wgsl, with W in f16 or bf16.
// Bindings: x, norm_weight, w (f16 or bf16 by W_DTYPE), addend (read); out (written).

//! include lib/linear_few.wgsl

override W_DTYPE: u32 = 2u;

@group(0) @binding(3) var<storage, read> w: array<vec2u>;

// Elements `i` to `i + 3` of W.
fn read_w4(i: u32) -> vec4f {
  let words = w[i / 4u];
  return vec4f(unpack_pair(words.x, W_DTYPE), unpack_pair(words.y, W_DTYPE));
}
