enable subgroups;

// Matrix product of f32 operands that can be read in whole vectors, for adapters whose lanes are a CPU's. lib/matmul_vectors.wgsl says how.
// Bindings: a, b, out (f32).

//! include lib/matmul_vectors.wgsl

@group(0) @binding(2) var<storage, read> b: array<vec4f>;

// Vector `i` of B as it is stored: four elements.
fn read_b4(i: u32) -> vec4f { return b[i]; }
