// Matrix product for GPUs: out[z, i, j] = Σₖ A[z, i, k] · B[z, k, j]. lib/matmul_tiled.wgsl says how.
// Bindings: a (f32), b (f32, f16 or bf16 by B_DTYPE), out (f32).

//! include lib/matmul_tiled.wgsl

alias Held = vec4f;

fn prepare(lane: u32) {}
fn hold_a(x: vec4f) -> Held { return x; }
fn hold_b(x: vec4f) -> Held { return x; }
fn worth(sum: f32) -> f32 { return sum; }
