enable subgroups;
enable chromium_experimental_subgroup_matrix;

// As matmul_matrix.wgsl, on units that multiply matrices of f32, such as those of Apple's GPUs, which sum f16 in f16 alone. Inputs are rounded to
// the eleven digits of f16 all the same, so that the result is the same up to the order of the sum.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32), largest (of a and b).

//! include lib/matmul_matrix.wgsl

alias Unit = f32;

// To nearest, ties to even, by the bits: compilers drop a conversion to f16 and back.
fn rounded(x: vec4f) -> vec4<Unit> {
  let bits = bitcast<vec4u>(x);
  let nearest = (bits + vec4u(0xfffu) + ((bits >> vec4u(13u)) & vec4u(1u))) & vec4u(0xffffe000u);
  let finite = (bits & vec4u(0x7f800000u)) != vec4u(0x7f800000u);
  return select(x, bitcast<vec4f>(nearest), finite);
}
