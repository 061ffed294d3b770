// min(1, max_norm / (√sum_of_squares + 10⁻⁶)): times this factor, the gradients have a norm of at most max_norm.
// One lane.
// Bindings: sum_of_squares [1] (read), out [1] (written).

//! include lib/nan.wgsl

struct Params { max_norm: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sum_of_squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(1)
fn main() {
  out[0] = keep_nan(min(1.0, params.max_norm / (sqrt(sum_of_squares[0]) + 1e-6)), sum_of_squares[0]);
}
