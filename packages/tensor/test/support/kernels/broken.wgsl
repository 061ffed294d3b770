// A kernel that does not compile, for tests of what is said about it.
// Bindings: out (written).

@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(1)
fn main() {
  out[0] = vec2f(1.0, 2.0);
}
