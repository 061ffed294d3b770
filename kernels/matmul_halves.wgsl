enable f16;

// Matrix product of inputs rounded to f16, with products and sums in f32: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j]. lib/matmul_tiled.wgsl
// says how, lib/half_scale.wgsl what keeps the inputs in the range of f16. A product of two f16 is exact in f32, so the result is what
// matmul_matrix.wgsl gives, up to the order of the sum. For adapters without matrix units.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32), largest (of a and b).

//! include lib/half_scale.wgsl
//! include lib/matmul_tiled.wgsl

alias Held = vec4<f16>;

fn prepare(lane: u32) { find_scales(lane); }
fn hold_a(x: vec4f) -> Held { return Held(x * scale_a); }
fn hold_b(x: vec4f) -> Held { return Held(x * scale_b); }
fn worth(sum: f32) -> f32 { return unscaled(sum); }
