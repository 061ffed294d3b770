enable subgroups;

// As matmul_vectors.wgsl, with B in f16 or bf16.
// Bindings: a (f32), b (f16 or bf16 by B_DTYPE), out (f32).

//! include lib/packed.wgsl
//! include lib/matmul_vectors.wgsl

override B_DTYPE: u32 = 2u;

@group(0) @binding(2) var<storage, read> b: array<vec2u>;

// Vector `i` of B as it is stored: four elements.
fn read_b4(i: u32) -> vec4f {
  let words = b[i];
  return vec4f(unpack_pair(words.x, B_DTYPE), unpack_pair(words.y, B_DTYPE));
}
