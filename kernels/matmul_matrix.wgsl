enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Matrix product on units that multiply matrices of f16 and sum in f32, such as those of NVIDIA's and AMD's GPUs:
// out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j], with inputs rounded to f16. lib/matmul_matrix.wgsl says how.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32), largest (of a and b).

//! include lib/matmul_matrix.wgsl

alias Unit = f16;

fn rounded(x: vec4f) -> vec4<Unit> { return vec4<Unit>(x); }
